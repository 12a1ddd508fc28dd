// The memory engine as the oracle of another: the same queries, and the same transactions with
// fences and crashes in between, drawn from a seed, must give the same on both.

import type { FenceState, Row, ShardTx } from '../engine.ts'
import { MemoryDatabase } from '../memory/memory-database.ts'
import { MemoryEngine } from '../memory/memory-engine.ts'
import type { Aggregate, Condition, OrderTerm, ScanRequest } from '../scan-request.ts'
import { demandSame, show } from './conformance-case.ts'
import { Dice } from './dice.ts'
import { EngineFixture, type EngineRule, EPOCH, SHARD } from './engine-fixture.ts'
import { person } from './standard-tables.ts'

const QUERIES = 150
const STEPS = 80
const SLOTS = [1, 2, 3, 4]

const NAMES = [null, null, '', 'a', 'A', 'b', 'é', '\uffee', '\u{10000}', "O'H", '10', '9', '%']
const AGES = [null, -1, 0, 0, 1, 2, 2, 2_147_483_647, -2_147_483_648]
const BALANCES = [null, 0, -5, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 62n, 7, 7]
const SCORES = [null, 0, 0.5, -0.25, 1.5, 1024, 3]

const COLUMNS = { name: NAMES, age: AGES, balance: BALANCES, score: SCORES } as const
const NAMED = ['name', 'age', 'balance', 'score'] as const

const FENCED: readonly unknown[] = ['SHARD_MOVED', 'STALE_EPOCH', 'SHARD_FROZEN']

export const ORACLE_RULES: readonly EngineRule[] = [1, 2, 3].flatMap((seed) => [
  {
    name: `any query gives what the memory engine gives (seed ${seed})`,
    check: (fixture: EngineFixture) => compareQueries(fixture, new Dice(seed)),
  },
  {
    name: `any run of transactions ends as on the memory engine (seed ${seed})`,
    check: (fixture: EngineFixture) => compareTransactions(fixture, new Dice(seed)),
  },
])

/** The oracle, on a shard like the one under test. */
async function makeOracle(): Promise<EngineFixture> {
  const shards = { [SHARD]: new MemoryDatabase() }
  const reopen = async () => new MemoryEngine({ shards })
  const close = async () => undefined
  const oracle = new EngineFixture({ engine: await reopen(), reopen, close })
  await oracle.prepare([SHARD])
  return oracle
}

async function compareQueries(fixture: EngineFixture, dice: Dice): Promise<void> {
  const oracle = await makeOracle()
  for (const slot of SLOTS) {
    const rows = Array.from({ length: 15 }, (_, at) => anyPerson(dice, `${slot}-${at}`))
    for (const side of [fixture, oracle]) await side.put(slot, 'person', rows)
  }
  for (const side of [fixture, oracle]) await side.fence('moved', [4])
  for (let i = 0; i < QUERIES; i++) {
    const request = anyRequest(dice)
    const rule = `the memory engine gives the same for ${show(request)}`
    demandSame(await fixture.scan(request), await oracle.scan(request), rule)
    const select = (tx: ShardTx) => tx.select(request)
    const slots = dice.of([[1], [1, 2], [3, 2, 1]])
    const selected = await fixture.read(slots, select)
    demandSame(selected, await oracle.read(slots, select), `${rule}, in select of ${show(slots)}`)
  }
}

function anyPerson(dice: Dice, id: string): Row {
  return person(id, {
    name: dice.of(NAMES),
    age: dice.of(AGES),
    balance: dice.of(BALANCES),
    score: dice.of(SCORES),
  })
}

function anyRequest(dice: Dice): ScanRequest {
  const where = dice.some(dice.of([0, 0, 1, 2]), NAMED).map((column) => anyCondition(dice, column))
  const slots = dice.of([undefined, undefined, [1], [2, 3], [4, 1], []])
  const limit = dice.of([undefined, undefined, 0, 1, 3, 10])
  const shared = { table: 'person', where, slots, limit }
  if (dice.below(3) > 0) {
    const columns = dice.of([undefined, ['id'], ['score', 'name'], ['balance']])
    const orderBy = [
      ...dice.some(dice.below(3), NAMED).map((one) => anyTerm(dice, one)),
      byId(dice),
    ]
    return { ...shared, columns, orderBy: unique(orderBy) }
  }
  const groupBy = [...new Set(dice.some(dice.below(3), ['name', 'age', 'balance']))]
  const aggregates: Readonly<Record<string, Aggregate>> = {
    n: { op: 'count' },
    some: { op: 'count', column: dice.of(NAMED) },
    total: { op: 'sum', column: dice.of(['age', 'balance', 'score']) },
    least: { op: 'min', column: dice.of(NAMED) },
    most: { op: 'max', column: dice.of(NAMED) },
  }
  // By every column of the group: otherwise the order of ties would be left open.
  const orderBy = groupBy.map((column) => anyTerm(dice, column))
  return { ...shared, groupBy, aggregates, orderBy }
}

function anyTerm(dice: Dice, column: string): OrderTerm {
  return {
    column,
    direction: dice.of([undefined, 'asc', 'desc'] as const),
    nulls: dice.of([undefined, 'first', 'last'] as const),
  }
}

function byId(dice: Dice): OrderTerm {
  return { column: 'id', direction: dice.of(['asc', 'desc'] as const) }
}

function unique(terms: readonly OrderTerm[]): OrderTerm[] {
  return terms.filter((term, at) => terms.findIndex((one) => one.column === term.column) === at)
}

function anyCondition(dice: Dice, column: (typeof NAMED)[number]): Condition {
  const values = COLUMNS[column].filter((value) => value !== null)
  const is = dice.of(['=', '!=', '<', '<=', '>', '>=', 'in', 'null', 'not null'] as const)
  if (is === 'null' || is === 'not null') return { column, is }
  const value = is === 'in' ? dice.some<unknown>(dice.below(4), values) : dice.of<unknown>(values)
  return { column, is, value }
}

/** One thing done on both sides; gives what came of it, as text. */
type Step = (side: EngineFixture) => Promise<unknown>

async function compareTransactions(fixture: EngineFixture, dice: Dice): Promise<void> {
  const oracle = await makeOracle()
  const history: string[] = []
  for (let i = 0; i < STEPS; i++) {
    const [label, step] = anyStep(dice, `t${i}`)
    history.push(label)
    const rule = `the memory engine ends the same after ${history.slice(-6).join(' | ')}`
    demandSame(await outcomeOf(step, fixture), await outcomeOf(step, oracle), rule)
    demandSame(await fixture.placed('person'), await oracle.placed('person'), `${rule}: slots`)
    const all: ScanRequest = { table: 'person', orderBy: [{ column: 'id' }] }
    demandSame(await fixture.scan(all), await oracle.scan(all), `${rule}: rows`)
  }
}

/** What it gave, or that a fence refused it: of several that do, any may be the one named. */
async function outcomeOf(step: Step, side: EngineFixture): Promise<unknown> {
  try {
    return await step(side)
  } catch (error) {
    const isFenced = error instanceof Error && 'code' in error && FENCED.includes(error.code)
    return isFenced ? 'refused' : `failed: ${error}`
  }
}

function anyStep(dice: Dice, name: string): [label: string, step: Step] {
  const kind = dice.below(8)
  if (kind === 0) return ['crash', (side) => side.reopen()]
  if (kind === 1) {
    const state = dice.of<FenceState>(['owned', 'owned', 'owned', 'frozen', 'arriving', 'moved'])
    const [slot, epoch] = [dice.of(SLOTS), EPOCH + dice.below(2)]
    return [`${slot} ${state} at ${epoch}`, (side) => side.fence(state, [slot], epoch)]
  }
  const slots = [...new Set(dice.some(1 + dice.below(2), SLOTS))]
  // At least one: an engine need not ask the shard before, so a claim that nothing is done under,
  // and that is then rolled back, may be refused or not.
  const statements = slots.flatMap((slot, at) =>
    Array.from(
      { length: at === 0 ? 1 + dice.below(3) : dice.below(4) },
      () => [slot, anyStatement(dice, slot)] as const,
    ),
  )
  const claim = { slots, epoch: EPOCH + dice.below(2) }
  const end = dice.of(['commit', 'commit', 'rollback', 'prepare', 'undo', 'crash'] as const)
  const run = async (side: EngineFixture) => {
    const transaction = await side.engine.open(SHARD, claim)
    try {
      const given: unknown[] = []
      for (const [slot, statement] of statements) given.push(await statement(transaction.tx(slot)))
      if (end === 'commit') await transaction.commit()
      if (end === 'commit' || end === 'rollback') return given
      const redo = await transaction.prepare(name)
      if (end === 'crash') await side.reopen()
      await side.engine.resolve(SHARD, name, end === 'undo' ? 'rollback' : 'commit', redo)
      return given
    } finally {
      await transaction.rollback()
    }
  }
  return [`${end} ${statements.length} on ${slots} at ${claim.epoch}`, run]
}

/** A statement on one of three rows of the slot. */
function anyStatement(dice: Dice, slot: number): (tx: ShardTx) => Promise<unknown> {
  const id = `${slot}-${dice.below(3)}`
  const row = anyPerson(dice, id)
  const mark = dice.of(['a', 'b'])
  return dice.of<(tx: ShardTx) => Promise<unknown>>([
    (tx) => tx.put('person', row),
    (tx) => tx.put('person', row),
    (tx) => tx.get('person', { id }),
    (tx) => tx.delete('person', { id }),
    (tx) => tx.select({ table: 'person', orderBy: [{ column: 'id' }] }),
    (tx) => tx.mark(mark),
    (tx) => tx.unmark(mark),
  ])
}
