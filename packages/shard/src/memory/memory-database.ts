// The durable state of one shard in memory: rows in versions, fences, marks, locks and prepared
// transactions. It outlives the engine that works on it, as a disk outlives a server, so a test
// can crash one engine and open another on the same databases.
//
// Invariant: `#commit` counts commits; everything a commit writes carries its number, so a snapshot
// is that number together with the fences in force at it.

import type { Fence, InstallSpec, Outcome, PreparedTransaction, TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { type LockOwner, LockTable } from './lock-table.ts'
import { MoveLog } from './move-log.ts'
import { RowVersions } from './row-versions.ts'
import { copyOut, type StoredRow } from './stored-row.ts'

/** Marks as a table, which they are to who moves them. */
const MARKS: TableSpec = { name: 'ashlar_mark', kind: 'sharded', key: [], primaryKey: ['name'] }

/** A table and its rows. */
export interface MemoryTable {
  readonly spec: TableSpec
  readonly primaryKey: readonly string[]
  readonly versions: RowVersions
}

/** One row written, or deleted where `row` is undefined. */
export interface RowChange {
  readonly versions: RowVersions
  readonly key: string
  readonly row: StoredRow | undefined
}

/** The database as of one commit. It costs old versions until it is closed. */
export interface Snapshot {
  readonly commit: number
  readonly fences: ReadonlyMap<number, Fence>
  /** Safe to call twice. */
  close(): void
}

/** Options of a {@link MemoryDatabase}. */
export interface MemoryDatabaseOptions {
  /** Elapsed milliseconds, for the age of prepared transactions; the platform's by default. */
  readonly monotonic?: (() => number) | undefined
}

interface Prepared {
  readonly owner: LockOwner
  readonly changes: readonly RowChange[]
  readonly sinceMs: number
}

/**
 * What one shard holds, for {@link MemoryEngine} to work on.
 *
 * @example
 * const database = new MemoryDatabase()
 * const engine = new MemoryEngine({ shards: { s1: database } })
 */
export class MemoryDatabase {
  /** Who holds and who waits; prepared transactions keep theirs. */
  readonly locks: LockTable = new LockTable()
  /** The names remembered by `mark`, as rows with that one column. */
  readonly marks: RowVersions = new RowVersions()
  /** What jobs that move slots have put here. */
  readonly moves: MoveLog = new MoveLog()
  readonly #monotonic: () => number
  readonly #tables = new Map<string, MemoryTable>()
  readonly #marks: MemoryTable = { spec: MARKS, primaryKey: ['name'], versions: this.marks }
  readonly #prepared = new Map<string, Prepared>()
  /** How transactions that were prepared ended, so that nothing ends them another way. */
  readonly #ended = new Map<string, Outcome>()
  /** Commits that snapshots stand on, with how many do. */
  readonly #snapshots = new Map<number, number>()
  #fences: ReadonlyMap<number, Fence> = new Map()
  #commit = 0

  constructor(options: MemoryDatabaseOptions = {}) {
    const monotonic = options.monotonic ?? (() => performance.now())
    this.#monotonic = monotonic
  }

  /** What is being held: all zero once every transaction and scan has ended. */
  get held(): { readonly locks: number; readonly snapshots: number; readonly prepared: number } {
    const { size: locks } = this.locks
    return { locks, snapshots: this.#snapshots.size, prepared: this.#prepared.size }
  }

  /** The fences in force, by slot. */
  get fences(): ReadonlyMap<number, Fence> {
    return this.#fences
  }

  /** The number of the last commit. */
  get commit(): number {
    return this.#commit
  }

  /** The tables that were installed, by name. */
  get tables(): ReadonlyMap<string, MemoryTable> {
    return this.#tables
  }

  /**
   * The table of that name.
   *
   * @throws {ShardError} `UNKNOWN_TABLE`
   */
  table(name: string): MemoryTable {
    const table = this.#tables.get(name)
    if (table !== undefined) return table
    const known = [...this.#tables.keys()].join(', ')
    throw new ShardError('UNKNOWN_TABLE', `there is no table ${name}; installed: ${known}`)
  }

  /** What moves with its slots: the sharded tables, and marks. */
  get movable(): readonly MemoryTable[] {
    const sharded = [...this.#tables.values()].filter(({ spec }) => spec.kind === 'sharded')
    return [...sharded, this.#marks]
  }

  /**
   * The one of {@link movable} of that name.
   *
   * @throws {ShardError} `UNKNOWN_TABLE`
   */
  movableTable(name: string): MemoryTable {
    return name === MARKS.name ? this.#marks : this.table(name)
  }

  /**
   * Adds the tables that are not there yet.
   *
   * @throws {ShardError} `INVALID_TABLE`, with nothing changed, for a table without a primary key
   * or laid out otherwise than the one that is there.
   */
  install({ tables }: InstallSpec): void {
    for (const spec of tables) checkTable(spec, this.#tables.get(spec.name)?.spec)
    for (const spec of tables) {
      if (this.#tables.has(spec.name)) continue
      const primaryKey = spec.primaryKey!
      this.#tables.set(spec.name, { spec, primaryKey, versions: new RowVersions() })
    }
  }

  /** The database as it is now. */
  openSnapshot(): Snapshot {
    const commit = this.#commit
    this.#snapshots.set(commit, (this.#snapshots.get(commit) ?? 0) + 1)
    let isOpen = true
    const close = () => {
      if (isOpen) this.#closeSnapshot(commit)
      isOpen = false
    }
    return { commit, fences: this.#fences, close }
  }

  /** Commits changes, all at once, and notes them for jobs that move their slots. */
  apply(changes: readonly RowChange[]): void {
    if (this.moves.isCapturing) for (const change of changes) this.#note(change)
    this.write(changes)
  }

  /** Commits changes that move rows, which are noted for nobody. */
  write(changes: readonly RowChange[]): void {
    this.#commit += 1
    const oldest = this.#oldest()
    for (const { versions, key, row } of changes) versions.write(key, row, this.#commit, oldest)
  }

  /** Puts fences in force, each in place of the one of its slot. */
  setFences(fences: readonly Fence[]): void {
    const next = new Map(this.#fences)
    for (const { slot, state, epoch } of fences) {
      if ((next.get(slot)?.epoch ?? 0) <= epoch) next.set(slot, { slot, state, epoch })
    }
    this.#commit += 1
    this.#fences = next
  }

  /**
   * Keeps what a transaction wrote, and its locks, until it is resolved.
   *
   * @param owner Who holds the locks.
   * @param changes What it wrote.
   * @throws {ShardError} `INVALID_OPTION` if one of that name was prepared here before.
   */
  prepare(transaction: string, owner: LockOwner, changes: readonly RowChange[]): void {
    if (this.#prepared.has(transaction) || this.#ended.has(transaction)) {
      throw new ShardError(
        'INVALID_OPTION',
        `transaction ${transaction} was prepared here before; every one needs a name of its own`,
      )
    }
    this.#prepared.set(transaction, { owner, changes, sinceMs: this.#monotonic() })
  }

  /** The transactions that wait for their outcome, oldest first. */
  prepared(): PreparedTransaction[] {
    const now = this.#monotonic()
    return [...this.#prepared].map(([transaction, { sinceMs }]) => {
      return { transaction, ageMs: Math.max(0, now - sinceMs) }
    })
  }

  /**
   * Ends a prepared transaction with that outcome; nothing if it ended that way before, or was
   * never prepared here.
   *
   * @throws {ShardError} `INVALID_OPTION` if it ended the other way.
   */
  resolve(transaction: string, outcome: Outcome): void {
    const ended = this.#ended.get(transaction)
    if (ended !== undefined && ended !== outcome) {
      throw new ShardError(
        'INVALID_OPTION',
        `transaction ${transaction} has ended in ${ended}; it cannot ${outcome} as well`,
        { transaction },
      )
    }
    const prepared = this.#prepared.get(transaction)
    if (prepared === undefined) return
    this.#prepared.delete(transaction)
    this.#ended.set(transaction, outcome)
    if (outcome === 'commit') this.apply(prepared.changes)
    this.locks.release(prepared.owner)
  }

  /** Names of the owners of locks, for people. */
  namesOf(owners: Iterable<LockOwner>): string[] {
    const names = new Map<LockOwner, string>()
    for (const [transaction, { owner }] of this.#prepared) names.set(owner, transaction)
    return [...owners].map((owner) => {
      const name = names.get(owner)
      return name === undefined ? 'a transaction' : `prepared transaction ${name}`
    })
  }

  #note({ versions, key, row }: RowChange): void {
    const before = versions.at(key, this.#commit)
    const known = row ?? before
    const table = this.movable.find((one) => one.versions === versions)
    if (known === undefined || table === undefined) return
    const primaryKey = copyOut(known.values, table.primaryKey)
    const slots = [before, row].flatMap((one) => (one === undefined ? [] : [one.slot]))
    this.moves.note({ table: table.spec.name, key, primaryKey, slots }, this.#commit + 1)
  }

  #closeSnapshot(commit: number): void {
    const others = this.#snapshots.get(commit)! - 1
    if (others > 0) {
      this.#snapshots.set(commit, others)
      return
    }
    this.#snapshots.delete(commit)
    const oldest = this.#oldest()
    this.marks.trim(oldest)
    for (const { versions } of this.#tables.values()) versions.trim(oldest)
  }

  #oldest(): number {
    return Math.min(this.#commit, ...this.#snapshots.keys())
  }
}

function checkTable(spec: TableSpec, present: TableSpec | undefined): void {
  const { name, kind, key, primaryKey = [] } = spec
  if (primaryKey.length === 0) {
    throw new ShardError(
      'INVALID_TABLE',
      `table ${name} has no primary key; name its columns in the table's rule`,
    )
  }
  if (present === undefined) return
  const layout = JSON.stringify([kind, key, primaryKey])
  if (layout !== JSON.stringify([present.kind, present.key, present.primaryKey])) {
    throw new ShardError('INVALID_TABLE', `table ${name} is there already, laid out otherwise`)
  }
}
