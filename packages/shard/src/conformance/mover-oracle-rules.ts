// A whole move, there and back and there again, under writers drawn from a seed: rows of all kinds
// change while slots are copied, applied and handed over, with crashes and repeated steps in
// between. A map of what was acknowledged is the oracle: all of it must lie where it belongs.

import type { Row, ShardTx } from '../engine.ts'
import { demandSame } from './conformance-case.ts'
import { Dice } from './dice.ts'
import { type EngineRule, EPOCH } from './engine-fixture.ts'
import {
  captureRules,
  FROM,
  fences,
  LEASE,
  LONG_MS,
  type MoverFixture,
  TO,
} from './mover-fixture.ts'
import { person } from './standard-tables.ts'

const SLOTS = [1, 2]
const IDS = ['a', 'b', 'c', 'd', 'e', 'f']

export const MOVER_ORACLE_RULES: readonly EngineRule[] = [1, 2, 3].flatMap((seed) =>
  captureRules([
    {
      name: `every acknowledged write is where it belongs, there, back and there again (${seed})`,
      check: (fixture) => new Move(fixture, new Dice(seed)).run(),
    },
  ]),
)

/** A move under way, and what must have come of all that was written. */
class Move {
  readonly #fixture: MoverFixture
  readonly #dice: Dice
  readonly #people = new Map<string, { readonly slot: number; readonly row: Row }>()
  readonly #marks = new Set<string>()
  #owner = FROM
  #epoch = EPOCH
  #writes = 0

  constructor(fixture: MoverFixture, dice: Dice) {
    this.#fixture = fixture
    this.#dice = dice
  }

  async run(): Promise<void> {
    await this.#write(12)
    await this.#fixture.start([], { shard: TO })
    await this.#fixture.start(SLOTS)
    await this.#write(5)
    for (const [at, slot] of SLOTS.entries()) {
      const times = 1 + this.#dice.below(2)
      for (let i = 0; i < times; i++) await this.#fixture.copy([slot], at + 1)
      await this.#write(6)
      await this.#maybeCrash()
      await this.#drain(FROM, TO, SLOTS.slice(0, at + 1))
    }
    for (const [from, to] of [
      [FROM, TO],
      [TO, FROM],
      [FROM, TO],
    ] as const) {
      await this.#write(6)
      await this.#handOver(from, to)
      await this.#write(6)
      await this.#demandAll()
    }
    while ((await this.#fixture.mover.clean(FROM, LEASE, SLOTS, 3)) > 0) await this.#maybeCrash()
    demandSame(await this.#fixture.rows(FROM, SLOTS), {}, 'nothing is left where they were')
    const { mover } = this.#fixture
    for (const shard of [FROM, TO]) await mover.release(shard, LEASE)
    for (const shard of [FROM, TO]) demandSame(await mover.traces(shard), [], 'nor of the job')
    await this.#demandAll()
  }

  /** Freezes, applies the rest, and makes the other shard the owner. */
  async #handOver(from: string, to: string): Promise<void> {
    const state = { maxMs: LONG_MS }
    const frozen = fences('frozen', SLOTS, this.#epoch)
    await this.#drain(from, to, SLOTS)
    await this.#write(2)
    await this.#fixture.mover.setFences(to, LEASE, fences('arriving', SLOTS, this.#epoch))
    await this.#fixture.mover.freeze(from, LEASE, frozen, state)
    await this.#maybeCrash()
    await this.#drain(from, to, SLOTS)
    const sums = await Promise.all(
      [from, to].map(async (shard) => [...(await this.#fixture.mover.checksums(shard, SLOTS))]),
    )
    demandSame(sums[1], sums[0], 'frozen and applied, both hold the same')
    this.#epoch += 1
    const [moved, owned] = [
      fences('moved', SLOTS, this.#epoch),
      fences('owned', SLOTS, this.#epoch),
    ]
    await this.#fixture.mover.setFences(from, LEASE, moved, { end: SLOTS })
    await this.#maybeCrash()
    await this.#fixture.mover.setFences(to, LEASE, owned, { begin: SLOTS })
    this.#owner = to
  }

  /** Applies all changes, some of them more than once. */
  async #drain(from: string, to: string, slots: readonly number[]): Promise<void> {
    for (;;) {
      const { mover } = this.#fixture
      const batch = await mover.changes(from, LEASE, 1 + this.#dice.below(4))
      await mover.apply(from, to, LEASE, batch.keys, slots)
      if (this.#dice.below(4) === 0) continue
      await mover.acknowledge(from, LEASE, batch)
      if (batch.isAll) return
    }
  }

  async #write(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#transact()
  }

  /** A transaction of a few statements, committed, undone or prepared first. */
  async #transact(): Promise<void> {
    const { engine } = this.#fixture.at
    const claim = { slots: SLOTS, epoch: this.#epoch }
    const open = await engine.open(this.#owner, claim)
    const end = this.#dice.of([
      'commit',
      'commit',
      'commit',
      'rollback',
      'prepare',
      'undo',
    ] as const)
    const done: (() => void)[] = []
    const count = 1 + this.#dice.below(3)
    for (let i = 0; i < count; i++) {
      const slot = this.#dice.of(SLOTS)
      done.push(await this.#statement(open.tx(slot), slot))
    }
    if (end === 'rollback') return open.rollback()
    if (end === 'commit') await open.commit()
    else {
      const name = `t${this.#writes}`
      const redo = await open.prepare(name)
      await this.#maybeCrash()
      const outcome = end === 'undo' ? 'rollback' : 'commit'
      await this.#fixture.at.engine.resolve(this.#owner, name, outcome, redo)
      if (end === 'undo') return
    }
    for (const remember of done) remember()
  }

  async #statement(tx: ShardTx, slot: number): Promise<() => void> {
    const id = this.#dice.of(IDS)
    this.#writes += 1
    const row = person(id, { age: this.#writes, name: this.#dice.of([null, '', 'é', id]) })
    const kind = this.#dice.below(6)
    if (kind < 3) {
      await tx.put('person', row)
      return () => void this.#people.set(id, { slot, row })
    }
    if (kind === 3) {
      await tx.delete('person', { id })
      return () => void this.#people.delete(id)
    }
    const isNew = kind === 4
    await (isNew ? tx.mark(id) : tx.unmark(id))
    return () => void (isNew ? this.#marks.add(id) : this.#marks.delete(id))
  }

  async #maybeCrash(): Promise<void> {
    if (this.#dice.below(5) === 0) await this.#fixture.at.reopen()
  }

  async #demandAll(): Promise<void> {
    const expected: Record<string, Row[]> = {}
    for (const slot of SLOTS) {
      const rows = [...this.#people.values()].filter((one) => one.slot === slot)
      const sorted = rows
        .map(({ row }) => row)
        .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
      if (sorted.length > 0) expected[`person ${slot}`] = sorted
    }
    const rule = 'what was acknowledged is there, and nothing else'
    demandSame(await this.#fixture.rows(this.#owner, SLOTS), expected, rule)
    const marks = await this.#fixture.marks(this.#owner, IDS, SLOTS[0]!)
    demandSame(
      marks,
      IDS.filter((id) => this.#marks.has(id)),
      'and so it is with names',
    )
  }
}
