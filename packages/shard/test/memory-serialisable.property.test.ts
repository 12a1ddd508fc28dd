// Transactions on a memory database, however their steps interleave, end as if they had run one
// after another: tried against every order of them.

import { MemoryDatabase, MemoryEngine } from '@ashlar/shard/memory'
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type LockMode, type LockOwner, LockTable } from '../src/memory/lock-table.ts'

type Statement =
  | { readonly do: 'get' | 'put' | 'delete'; readonly id: string }
  | { readonly do: 'select' }

interface Work {
  readonly isReadOnly: boolean
  readonly isPrepared: boolean
  readonly statements: readonly Statement[]
}

/** What a transaction that committed was given by its statements. */
interface Done {
  readonly work: Work
  readonly name: string
  readonly given: readonly string[]
}

const id = fc.constantFrom('a', 'b', '__proto__')
const change = fc.record({ do: fc.constantFrom('put', 'delete'), id })
const reading = fc.oneof(
  fc.record({ do: fc.constant('get' as const), id }),
  fc.constant({ do: 'select' as const }),
)
const statement = fc.oneof(change, reading) as fc.Arbitrary<Statement>
const work: fc.Arbitrary<Work> = fc.oneof(
  fc.record({
    isReadOnly: fc.constant(false),
    isPrepared: fc.boolean(),
    statements: fc.array(statement, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    isReadOnly: fc.constant(true),
    isPrepared: fc.constant(false),
    statements: fc.array(reading, { minLength: 1, maxLength: 3 }),
  }),
)
const works = fc.array(work, { minLength: 2, maxLength: 4 })

/** Does the statements on a table of one column beside its key; gives what each of them gave. */
function runAlone(rows: Map<string, string>, { statements }: Work, name: string): string[] {
  return statements.map((one, at) => {
    if (one.do === 'select') return [...rows].map(String).sort().join(' ')
    if (one.do === 'get') return String(rows.get(one.id))
    if (one.do === 'delete') return String(rows.delete(one.id))
    rows.set(one.id, `${name}.${at}`)
    return 'put'
  })
}

async function runTogether(
  engine: MemoryEngine,
  { statements, isReadOnly, isPrepared }: Work,
  name: string,
): Promise<string[]> {
  const claim = { slots: [1], epoch: 1 }
  const transaction = await engine.open('s1', claim, { readOnly: isReadOnly })
  try {
    const given: string[] = []
    for (const [at, one] of statements.entries()) {
      const tx = transaction.tx(1)
      if (one.do === 'select') {
        const rows = await tx.select({ table: 'person' })
        given.push(
          rows
            .map((row) => `${row.id},${row.by}`)
            .sort()
            .join(' '),
        )
      } else if (one.do === 'get') {
        given.push(String((await tx.get('person', { id: one.id }))?.by))
      } else if (one.do === 'delete') {
        given.push(String(await tx.delete('person', { id: one.id })))
      } else {
        await tx.put('person', { id: one.id, by: `${name}.${at}` })
        given.push('put')
      }
    }
    if (isPrepared) {
      await transaction.prepare(name)
      await engine.resolve('s1', name, 'commit')
    } else {
      await transaction.commit()
    }
    return given
  } finally {
    await transaction.rollback()
  }
}

function* orders<T>(all: readonly T[]): Generator<T[]> {
  if (all.length === 0) yield []
  for (const [at, one] of all.entries()) {
    for (const rest of orders(all.toSpliced(at, 1))) yield [one, ...rest]
  }
}

/** Is there an order of the transactions that gives each what it was given, and these rows? */
function isSerial(done: readonly Done[], rows: string): boolean {
  for (const order of orders(done)) {
    const state = new Map([['a', 'first']])
    const agrees = order.every(({ work: one, name, given }) => {
      return runAlone(state, one, name).join('|') === given.join('|')
    })
    if (agrees && [...state].map(String).sort().join(' ') === rows) return true
  }
  return false
}

function serialisable(Database: typeof MemoryDatabase) {
  return fc.asyncProperty(works, fc.boolean(), fc.scheduler(), async (all, flips, scheduler) => {
    const database = new Database()
    const plain = new MemoryEngine({ shards: { s1: database } })
    const table = { name: 'person', kind: 'sharded', key: ['id'], primaryKey: ['id'] } as const
    await plain.install('s1', { ddl: [], tables: [table] })
    await plain.setFences('s1', [{ slot: 1, state: 'owned', epoch: 1 }])
    const first = await plain.open('s1', { slots: [1], epoch: 1 })
    await first.tx(1).put('person', { id: 'a', by: 'first' })
    await first.commit()
    const engine = new MemoryEngine({
      shards: { s1: database },
      delay: (label) => scheduler.schedule(Promise.resolve(), label),
      // Never called: whoever waits must be served, or refused for a circle.
      timers: { setTimeout: () => 0, clearTimeout: () => undefined },
    })
    const runs = all.map(async (one, at): Promise<Done[]> => {
      const name = `t${at}`
      try {
        return [{ work: one, name, given: await runTogether(engine, one, name) }]
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(ROLLED_BACK|STALE_EPOCH)$/u) })
        return []
      }
    })
    const raise = [{ slot: 1, state: 'owned', epoch: 2 }] as const
    const flip = flips ? engine.setFences('s1', raise) : Promise.resolve()
    await scheduler.waitFor(Promise.all([...runs, flip]))
    const done = (await Promise.all(runs)).flat()
    const scan = await plain.scan('s1', { table: 'person' })
    const rows: string[] = []
    for await (const batch of scan.rows()) rows.push(...batch.map((row) => `${row.id},${row.by}`))
    await scan.close()
    expect(isSerial(done, rows.sort().join(' '))).toBe(true)
    expect(database.held).toEqual({ locks: 0, snapshots: 0, prepared: 0 })
  })
}

test('transactions are serialisable, and none waits for ever', () => {
  return fc.assert(serialisable(MemoryDatabase), { numRuns: 300 })
})

/** Grants every lock of some sort at once. */
class Lax extends LockTable {
  readonly #sort: string

  constructor(sort: string) {
    super()
    this.#sort = sort
  }

  override acquire(owner: LockOwner, key: string, mode: LockMode): Promise<void> | undefined {
    return key.startsWith(this.#sort) ? undefined : super.acquire(owner, key, mode)
  }
}

class NoRowLocks extends MemoryDatabase {
  override readonly locks: LockTable = new Lax('row')
}

class NoSlotLocks extends MemoryDatabase {
  override readonly locks: LockTable = new Lax('slot')
}

test.each([NoRowLocks, NoSlotLocks])('the law catches a database with %o', async (Broken) => {
  const result = await fc.check(serialisable(Broken), { numRuns: 2_000, seed: 1 })
  expect(result.failed).toBe(true)
})
