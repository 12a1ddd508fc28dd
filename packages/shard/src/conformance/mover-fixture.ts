// What the cases of the mover kit have in common: two shards, of which the first owns slots 1 to 3
// and the second slot 4, a job that moves slots from the first to the second, and ways to see what
// lies on a shard whoever owns it.

import type { Fence, FenceState, OpenTransaction, Row, ShardTx } from '../engine.ts'
import type { CaptureKind, DirtyKey, MoveLease, SlotMover, SlotSize } from '../slot-mover.ts'
import { demand, demandSame, show } from './conformance-case.ts'
import { type EngineFixture, type EngineRule, EPOCH, fence } from './engine-fixture.ts'
import { person, STANDARD_TABLES } from './standard-tables.ts'

export const FROM = 's1'
export const TO = 's2'

/** The lease that most cases work under. */
export const LEASE: MoveLease = { job: 'job', token: 1 }

/** Longer than anything takes that does not wait for somebody. */
export const LONG_MS = 10_000

/** As many slots as maps have by default, and one more. */
export const MANY_SLOTS: readonly number[] = Array.from({ length: 16_385 }, (_, slot) => slot)

/** Rows whose values are easily mangled on the way. */
export const NASTY: readonly Row[] = [
  person('', { name: '' }),
  person('\\N', { name: '\\N' }),
  person('tab\tand\nline\r', { name: 'back\\slash "quoted" \'quoted\', comma' }),
  person('é🗿\uffee', { name: 'e\u0301 é \u{10000}' }),
  person('least', { age: -2_147_483_648, balance: -(2n ** 63n), score: -0.1 }),
  person('most', { age: 2_147_483_647, balance: 2n ** 63n - 1n, score: 1.7976931348623157e308 }),
  person('small', { age: 0, balance: 0, score: 5e-324 }),
  person('nothing'),
]

const TABLES = STANDARD_TABLES.tables

/** A rule about movers; an engine without one is not asked. */
export interface MoverRule {
  readonly name: string
  check(fixture: MoverFixture): Promise<void>
}

/** Makes rules of an engine of rules of its mover. */
export function moverRules(rules: readonly MoverRule[]): readonly EngineRule[] {
  return rules.map(({ name, check }) => ({
    name: `a mover: ${name}`,
    shards: [FROM, TO],
    check: async (engine) => {
      if (engine.engine.mover === undefined) return
      const fixture = new MoverFixture(engine, engine.engine.mover.captures[0]!)
      await fixture.prepare()
      await check(fixture)
    },
  }))
}

/** As `moverRules`, once for each kind of capture that the shard is set up for. */
export function captureRules(rules: readonly MoverRule[]): readonly EngineRule[] {
  const kinds: readonly CaptureKind[] = ['trigger', 'logical']
  return kinds.flatMap((capture) =>
    rules.map(({ name, check }) => ({
      name: `capture by ${capture}: ${name}`,
      shards: [FROM, TO],
      check: async (engine: EngineFixture) => {
        if (!engine.engine.mover?.captures.includes(capture)) return
        const against = await engine.engine.mover.inspect(FROM, TABLES, { role: 'source', capture })
        if (against.length > 0) return
        const fixture = new MoverFixture(engine, capture)
        await fixture.prepare()
        await check(fixture)
      },
    })),
  )
}

/** Options of {@link MoverFixture.start}. */
export interface StartOptions {
  readonly shard?: string | undefined
  readonly maxMs?: number | undefined
  readonly lease?: MoveLease | undefined
}

/** A mover being tried. */
export class MoverFixture {
  readonly at: EngineFixture
  readonly capture: CaptureKind

  constructor(at: EngineFixture, capture: CaptureKind) {
    this.at = at
    this.capture = capture
  }

  get mover(): SlotMover {
    const { mover } = this.at.engine
    demand(mover !== undefined, 'an engine has its mover after a crash as well')
    return mover
  }

  async prepare(): Promise<void> {
    await this.fence(FROM, 'moved', [4])
    await this.fence(TO, 'moved', [1, 2, 3])
    for (const shard of [FROM, TO]) await this.mover.claim(shard, LEASE)
  }

  /** Sets the fences of slots on a shard, past the mover. */
  fence(
    shard: string,
    state: FenceState,
    slots: readonly number[],
    epoch: number = EPOCH,
  ): Promise<void> {
    return this.at.engine.setFences(shard, fences(state, slots, epoch))
  }

  /** Freezes slots of the first shard. */
  freeze(slots: readonly number[], maxMs: number = LONG_MS): Promise<void> {
    return this.mover.freeze(FROM, LEASE, fences('frozen', slots), { maxMs })
  }

  /** Begins to capture slots of a shard. */
  start(
    slots: readonly number[],
    { shard = FROM, maxMs = LONG_MS, lease = LEASE }: StartOptions = {},
  ): Promise<void> {
    const options = { capture: this.capture, slots, tables: TABLES, maxBarrierMs: maxMs }
    return this.mover.startCapture(shard, lease, options)
  }

  /** Writes rows under a slot of the first shard, or of another. */
  put(slot: number, table: string, rows: readonly Row[], shard: string = FROM): Promise<void> {
    return this.at.put(slot, table, rows, { shard })
  }

  /** Deletes a row of the first shard, or of another. */
  async remove(slot: number, table: string, primaryKey: Row, shard: string = FROM): Promise<void> {
    await this.at.transact([slot], (tx) => tx.delete(table, primaryKey), { shard })
  }

  /** Remembers a name under a slot of the first shard, or of another. */
  mark(slot: number, name: string, shard: string = FROM): Promise<boolean> {
    return this.at.transact([slot], (tx) => tx.mark(name), { shard })
  }

  /** A writer on the first shard, who has done that much. */
  async writer(
    slots: readonly number[],
    work: (tx: ShardTx) => Promise<unknown>,
  ): Promise<OpenTransaction<ShardTx>> {
    const transaction = await this.at.engine.open(FROM, { slots, epoch: EPOCH })
    await work(transaction.tx(slots[0]!))
    return transaction
  }

  /** Copies slots from the first shard to the second. */
  copy(slots: readonly number[], position: number = slots.length): Promise<SlotSize> {
    return this.mover.copy(FROM, TO, LEASE, { slots, position })
  }

  /** Applies keys of the first shard to the second, given without their slots. */
  apply(keys: readonly Omit<DirtyKey, 'slot'>[], slots: readonly number[]): Promise<void> {
    const dirty = keys.map((key) => ({ ...key, slot: undefined }))
    return this.mover.apply(FROM, TO, LEASE, dirty, slots)
  }

  /** All changes that were captured on a shard and not acknowledged. */
  async changes(shard: string = FROM): Promise<readonly DirtyKey[]> {
    const batch = await this.mover.changes(shard, LEASE, 10_000)
    demand(batch.isAll, 'a batch that is not full has all that had committed')
    return batch.keys
  }

  /** As `changes`, as texts in order, without the slots. */
  async changed(shard: string = FROM): Promise<string[]> {
    return [...new Set((await this.changes(shard)).map(keyText))].sort()
  }

  /** Forgets all changes captured so far. */
  async forget(shard: string = FROM): Promise<void> {
    await this.mover.acknowledge(shard, LEASE, await this.mover.changes(shard, LEASE, 10_000))
  }

  /** Applies and acknowledges changes of the first shard until there are none. */
  async drain(slots: readonly number[], limit: number = 100): Promise<void> {
    for (;;) {
      const batch = await this.mover.changes(FROM, LEASE, limit)
      await this.mover.apply(FROM, TO, LEASE, batch.keys, slots)
      await this.mover.acknowledge(FROM, LEASE, batch)
      if (batch.isAll) return
    }
  }

  /** The rows of slots with all their values, by `table slot`, as if the shard owned them. */
  async rows(shard: string, slots: readonly number[]): Promise<Readonly<Record<string, Row[]>>> {
    const before = await this.at.engine.fences(shard)
    await this.at.engine.setFences(shard, ownedAtLeast(before, slots))
    const found: Record<string, Row[]> = {}
    for (const { name, primaryKey } of TABLES.filter(({ kind }) => kind === 'sharded')) {
      const orderBy = primaryKey!.map((column) => ({ column }))
      for (const slot of slots) {
        const rows = await this.at.scan({ table: name, slots: [slot], orderBy }, { shard })
        if (rows.length > 0) found[`${name} ${slot}`] = rows
      }
    }
    await this.at.engine.setFences(shard, before)
    return found
  }

  /** Which of these names a shard remembers. */
  async marks(shard: string, names: readonly string[], slot: number): Promise<string[]> {
    const before = await this.at.engine.fences(shard)
    await this.at.engine.setFences(shard, ownedAtLeast(before, [slot]))
    const epoch = Math.max(...before.map((one) => one.epoch))
    const trial = await this.at.engine.open(shard, { slots: [slot], epoch })
    const known: string[] = []
    for (const name of names) if (!(await trial.tx(slot).mark(name))) known.push(name)
    await trial.rollback()
    await this.at.engine.setFences(shard, before)
    return known
  }

  /** Demands that slots hold the same rows on both shards. */
  async demandEqual(slots: readonly number[], rule: string): Promise<void> {
    demandSame(await this.rows(TO, slots), await this.rows(FROM, slots), rule)
    const sums = await Promise.all(
      [FROM, TO].map(async (shard) => [...(await this.mover.checksums(shard, slots))].sort()),
    )
    demandSame(sums[1], sums[0], `${rule}, and the checksums say so`)
  }
}

/** Fences of several slots. */
export function fences(
  state: FenceState,
  slots: readonly number[],
  epoch: number = EPOCH,
): Fence[] {
  return slots.map((slot) => fence(slot, state, epoch))
}

/** A key as text: its table, then the values of its primary key. */
export function keyText({ table, primaryKey }: Pick<DirtyKey, 'table' | 'primaryKey'>): string {
  return `${table} ${show(primaryKey)}`
}

/** The key of a person. */
export function personKey(id: string): Omit<DirtyKey, 'slot'> {
  return { table: 'person', primaryKey: { id } }
}

/** The keys of people, as texts in order. */
export function keysOf(...ids: readonly string[]): string[] {
  return ids.map((id) => keyText(personKey(id))).sort()
}

/** Demands that these people were noted as changed; by a trigger, that nothing else was. */
export async function demandChanged(
  fixture: MoverFixture,
  ids: readonly string[],
  rule: string,
): Promise<void> {
  const found = await fixture.changed()
  const expected = keysOf(...ids)
  const known =
    fixture.capture === 'trigger' ? found : found.filter((one) => expected.includes(one))
  demandSame(known, expected, rule)
}

/** The key of a mark. */
export function markKey(name: string): Omit<DirtyKey, 'slot'> {
  return { table: 'ashlar_mark', primaryKey: { name } }
}

function ownedAtLeast(before: readonly Fence[], slots: readonly number[]): Fence[] {
  const epochs = new Map(before.map(({ slot, epoch }) => [slot, epoch]))
  return slots.map((slot) => fence(slot, 'owned', epochs.get(slot) ?? EPOCH))
}
