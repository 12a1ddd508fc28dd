// What the cases of the engine kit have in common: an engine on empty shards with the standard
// tables and fences, and short ways to write, read and scan.

import type {
  Engine,
  Fence,
  FenceState,
  OpenOptions,
  OpenTransaction,
  PlacedRow,
  Row,
  ScanOptions,
  ShardTx,
  SqlTx,
} from '../engine.ts'
import { REFERENCE_SLOT } from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { type ConformanceCase, demand, demandSame, settlesWithin } from './conformance-case.ts'
import { STANDARD_TABLES } from './standard-tables.ts'

/** An engine on shards of its own, with nothing in them. */
export interface EngineUnderTest {
  readonly engine: Engine
  /** Gives up the engine as a crash of its process does; another on the same shards. */
  reopen(): Promise<Engine>
  /** Runs a statement on a shard's database past the engine, where that can be done. */
  bypass?(shard: string, sql: string): Promise<unknown>
  /** Closes whatever engine is left, and removes the shards. */
  close(): Promise<void>
  /** Names what is held though it is closed: locks, connections, files. Nothing, if all is well. */
  leaks?(): Promise<readonly string[]>
}

/** Options of {@link engineConformance}. */
export interface EngineConformanceOptions {
  /** Opens an engine on empty shards of these names. Called once a case. */
  open(shards: readonly string[]): Promise<EngineUnderTest>
  /** Whether transactions have `query`. Default false. */
  readonly sql?: boolean | undefined
  /** How long to watch that something does wait. Default 50 ms. */
  readonly patienceMs?: number | undefined
  /** How long a case may take. Default 30,000 ms. */
  readonly limitMs?: number | undefined
  readonly timers?: Timers | undefined
}

/** A rule and how it is tried. */
export interface EngineRule {
  readonly name: string
  readonly shards?: readonly string[] | undefined
  check(fixture: EngineFixture): Promise<void>
}

/** The epoch of the fences that a fixture begins with. */
export const EPOCH = 5

/** The shard that most cases work on. */
export const SHARD = 's1'

const OWNED = [1, 2, 3, 4]

/** Makes a case of a rule: fresh shards, the check, and a limit to how long it may hang. */
export function engineCase(rule: EngineRule, options: EngineConformanceOptions): ConformanceCase {
  const { timers = platformTimers, limitMs = 30_000, patienceMs = 50 } = options
  const run = async () => {
    const shards = rule.shards ?? [SHARD]
    const under = await options.open(shards)
    const fixture = new EngineFixture(under, timers, patienceMs)
    const checked = fixture.prepare(shards).then(() => rule.check(fixture))
    try {
      const isDone = await settlesWithin(checked, timers, limitMs)
      demand(isDone, `${rule.name}\n  it hangs: ${limitMs} ms went by`)
      await checked
    } finally {
      await under.close()
    }
    demandSame((await under.leaks?.()) ?? [], [], 'nothing is held once the engine is closed')
  }
  return { name: rule.name, run }
}

/** An engine being tried. Slots 1 to 4 and REFERENCE_SLOT are owned at {@link EPOCH}. */
export class EngineFixture {
  engine: Engine
  readonly bypass: EngineUnderTest['bypass']
  readonly #under: EngineUnderTest
  readonly #timers: Timers
  readonly #patienceMs: number

  constructor(under: EngineUnderTest, timers: Timers = platformTimers, patienceMs: number = 50) {
    this.engine = under.engine
    this.bypass = under.bypass?.bind(under)
    this.#under = under
    this.#timers = timers
    this.#patienceMs = patienceMs
  }

  /** Installs the standard tables and fences. */
  async prepare(shards: readonly string[]): Promise<void> {
    const fences = [REFERENCE_SLOT, ...OWNED].map((slot) => fence(slot, 'owned'))
    for (const shard of shards) {
      await this.engine.install(shard, STANDARD_TABLES)
      await this.engine.setFences(shard, fences)
    }
  }

  /** Crashes the engine and opens another on the same shards. */
  async reopen(): Promise<void> {
    this.engine = await this.#under.reopen()
  }

  /** Sets the fences of some slots. */
  fence(state: FenceState, slots: readonly number[], epoch: number = EPOCH): Promise<void> {
    return this.engine.setFences(
      SHARD,
      slots.map((slot) => fence(slot, state, epoch)),
    )
  }

  /** Runs a transaction and commits it; `tx` is of the first slot. */
  async transact<R>(
    slots: readonly number[],
    work: (tx: ShardTx, transaction: OpenTransaction<ShardTx>) => R | Promise<R>,
    { epoch = EPOCH, shard = SHARD, ...options }: OpenOptions & Place = {},
  ): Promise<R> {
    const transaction = await this.engine.open(shard, { slots, epoch }, options)
    try {
      const result = await work(transaction.tx(slots[0]!), transaction)
      await transaction.commit()
      return result
    } finally {
      await transaction.rollback()
    }
  }

  /** As `transact`, reading only. */
  read<R>(
    slots: readonly number[],
    work: (tx: ShardTx) => R | Promise<R>,
    place: Place = {},
  ): Promise<R> {
    return this.transact(slots, work, { readOnly: true, ...place })
  }

  /** Writes rows under a slot and commits. */
  put(slot: number, table: string, rows: readonly Row[], place: Place = {}): Promise<void> {
    const work = async (tx: ShardTx) => {
      for (const row of rows) await tx.put(table, row)
    }
    return this.transact([slot], work, place)
  }

  /** Everything that a scan gives. */
  async scan(request: ScanRequest, options: ScanOptions & Place = {}): Promise<Row[]> {
    const scan = await this.engine.scan(options.shard ?? SHARD, request, options)
    try {
      const found: Row[] = []
      for await (const batch of scan.rows()) found.push(...batch)
      return found
    } finally {
      await scan.close()
    }
  }

  /** The ids of all rows of `person` that count, in order. */
  async people(place: Place = {}): Promise<unknown[]> {
    const rows = await this.scan({ table: 'person', orderBy: [{ column: 'id' }] }, place)
    return rows.map((row) => row.id)
  }

  /** Every row of a table with its slot, owned or not, as `slot:primary key`, sorted. */
  async placed(table: string): Promise<string[]> {
    const spec = STANDARD_TABLES.tables.find((one) => one.name === table)!
    const rows: PlacedRow[] = []
    for await (const batch of this.engine.placements(SHARD, spec)) rows.push(...batch)
    const text = ({ slot, primaryKey }: PlacedRow) =>
      `${slot}:${spec.primaryKey!.map((column) => String(primaryKey[column])).join('/')}`
    return rows.map(text).sort()
  }

  /** Whether it is still under way after a while. */
  async waits(promise: Promise<unknown>): Promise<boolean> {
    return !(await settlesWithin(promise, this.#timers, this.#patienceMs))
  }
}

/** Where and at which epoch to work; by default {@link SHARD} at {@link EPOCH}. */
export interface Place {
  readonly epoch?: number | undefined
  readonly shard?: string | undefined
}

/** A fence. */
export function fence(slot: number, state: FenceState, epoch: number = EPOCH): Fence {
  return { slot, state, epoch }
}

/** The transaction of a SQL engine; refuses another. */
export function sqlTx(tx: ShardTx): SqlTx {
  demand(isSql(tx), 'the transaction of a SQL engine has query')
  return tx
}

function isSql(tx: ShardTx): tx is SqlTx {
  return 'query' in tx
}
