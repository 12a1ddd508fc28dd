// A transaction on a memory database. A writer works under strict two-phase locking: it holds the
// fences of its claim shared, rows it touched exclusive, and of what it selected whole slots of a
// table, so writers are serialisable; what it wrote stays with it until it commits. A reader holds
// no lock: it sees a snapshot with the fences of that snapshot.
//
// Invariant: statements run one after another in the order of the calls, awaited or not; the first
// that is refused undoes everything, and every later one, and the commit, is refused with it.

import type { Fence, Row, ShardTx, SlotClaim } from '../engine.ts'
import { type OpenOptions, type OpenTransaction, REFERENCE_SLOT } from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { ShardError, ShardFrozen, ShardMoved, StaleEpoch } from '../shard-error.ts'
import type { Timers } from '../timers.ts'
import type { EngineSteps } from './engine-steps.ts'
import { LockOwner } from './lock-table.ts'
import type { MemoryDatabase, MemoryTable, RowChange, Snapshot } from './memory-database.ts'
import { checkRequest, queryRows } from './row-query.ts'
import type { RowVersions } from './row-versions.ts'
import { copyIn, copyOut, primaryKeyText, type StoredRow } from './stored-row.ts'

/** What a transaction needs of its engine. */
export interface TransactionSetting {
  readonly shard: string
  readonly database: MemoryDatabase
  readonly steps: EngineSteps
  readonly wait: { readonly timers: Timers; readonly waitMs: number }
  /** Called once when it has ended, however it did. */
  readonly onEnd: (transaction: MemoryTransaction) => void
}

/** A transaction in progress; {@link MemoryEngine.open} begins it. */
export class MemoryTransaction implements OpenTransaction<ShardTx> {
  readonly #setting: TransactionSetting
  readonly #claim: SlotClaim
  readonly #slots: ReadonlySet<number>
  readonly #isReadOnly: boolean
  readonly #signal: AbortSignal | undefined
  readonly #owner = new LockOwner()
  readonly #changes = new Map<string, RowChange>()
  #snapshot: Snapshot | undefined
  #hasEnded = false
  #failure: unknown
  #last: Promise<unknown> = Promise.resolve()

  constructor(setting: TransactionSetting, claim: SlotClaim, options: OpenOptions) {
    this.#setting = setting
    this.#claim = claim
    this.#slots = new Set(claim.slots)
    this.#isReadOnly = options.readOnly ?? false
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Takes the fences of the claim, or rejects, having ended. */
  begin(): Promise<void> {
    return this.#statement('open', () => this.#takeFences())
  }

  tx(slot: number): ShardTx {
    if (!this.#slots.has(slot)) {
      throw new ShardError(
        'NO_SLOT',
        `slot ${slot} is not among those claimed (${this.#claim.slots.join(', ')})`,
        { shard: this.#setting.shard, slot },
      )
    }
    return {
      get: (table, primaryKey) => this.#statement('get', () => this.#get(table, primaryKey)),
      put: (table, row) => {
        const copy = { ...row }
        return this.#statement('put', () => this.#put(slot, table, copy))
      },
      delete: (table, key) => this.#statement('delete', () => this.#delete(slot, table, key)),
      select: (request) => this.#statement('select', () => this.#select(request)),
      mark: (name) => this.#statement('mark', () => this.#setMark(slot, name, true)),
      unmark: (name) => this.#statement('unmark', () => this.#setMark(slot, name, false)),
    }
  }

  commit(): Promise<void> {
    return this.#statement('commit', () => {
      if (this.#changes.size > 0) this.#setting.database.apply([...this.#changes.values()])
      this.#end()
      this.#setting.database.locks.release(this.#owner)
    })
  }

  async rollback(): Promise<void> {
    await this.#setting.steps.pause('rollback:before')
    this.fail(new ShardError('ROLLED_BACK', 'this transaction was rolled back'))
    await this.#last
  }

  prepare(transaction: string): Promise<Uint8Array | undefined> {
    return this.#statement('prepare', () => {
      this.#setting.database.prepare(transaction, this.#owner, [...this.#changes.values()])
      this.#end()
      return undefined
    })
  }

  /** Undoes it, from whatever side; every later call rejects with the reason. */
  fail(reason: unknown): void {
    if (this.#hasEnded) return
    this.#failure = reason
    this.#end()
    this.#setting.database.locks.cancel(this.#owner, reason)
    this.#setting.database.locks.release(this.#owner)
  }

  readonly #abort = (): void => this.fail(this.#signal!.reason)

  #end(): void {
    this.#hasEnded = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#snapshot?.close()
    this.#setting.onEnd(this)
  }

  #statement<T>(label: string, effect: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#run(label, effect))
    // What is not awaited is refused by the commit: it must not count as unhandled before.
    this.#last = result.catch(() => undefined)
    return result
  }

  async #run<T>(label: string, effect: () => T | Promise<T>): Promise<T> {
    this.#checkOpen()
    if (this.#signal?.aborted) this.#abort()
    try {
      return await this.#setting.steps.run(label, () => {
        this.#checkOpen()
        return effect()
      })
    } catch (error) {
      this.fail(error)
      throw this.#failure ?? error
    }
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.#hasEnded) return
    throw new ShardError('INVALID_OPTION', 'this transaction has ended; open another')
  }

  async #takeFences(): Promise<void> {
    const { database, shard } = this.#setting
    if (this.#isReadOnly) {
      this.#snapshot = database.openSnapshot()
      for (const slot of this.#claim.slots) {
        checkFence(shard, slot, this.#snapshot.fences.get(slot), this.#claim.epoch, true)
      }
      return
    }
    // In one order for all, so that claims do not wait for each other in a circle.
    for (const slot of [...this.#slots].sort((a, b) => a - b)) {
      await this.#lock(fenceLock(slot), 'shared')
      checkFence(shard, slot, database.fences.get(slot), this.#claim.epoch, false)
    }
  }

  async #get(name: string, primaryKey: Row): Promise<Row | undefined> {
    const table = this.#setting.database.table(name)
    const key = primaryKeyText(name, table.primaryKey, primaryKey)
    const isShared = table.spec.kind === 'reference'
    await this.#lock(rowLock(name, key), isShared ? 'shared' : 'exclusive')
    const row = this.#read(name, table.versions, key)
    return row !== undefined && this.#isClaimed(table, row) ? copyOut(row.values) : undefined
  }

  async #put(slot: number, name: string, row: Row): Promise<void> {
    const table = this.#writable(slot, name)
    const key = primaryKeyText(name, table.primaryKey, row)
    for (const column of table.spec.key) primaryKeyText(name, [column], row)
    const values = copyIn(name, row)
    await this.#lockToWrite(slot, table, key)
    this.#change(name, { versions: table.versions, key, row: { slot, values } })
  }

  async #delete(slot: number, name: string, primaryKey: Row): Promise<boolean> {
    const table = this.#writable(slot, name)
    const key = primaryKeyText(name, table.primaryKey, primaryKey)
    const row = await this.#lockToWrite(slot, table, key, true)
    if (row === undefined) return false
    this.#change(name, { versions: table.versions, key, row: undefined })
    return true
  }

  async #select(request: ScanRequest): Promise<Row[]> {
    const table = this.#setting.database.table(request.table)
    checkRequest(request)
    const isReference = table.spec.kind === 'reference'
    const wanted = request.slots ?? this.#claim.slots
    const slots = isReference ? [REFERENCE_SLOT] : wanted.filter((slot) => this.#slots.has(slot))
    for (const slot of [...new Set(slots)].sort((a, b) => a - b)) {
      await this.#lock(slotLock(request.table, slot), 'shared')
    }
    const among = new Set(slots)
    return [...queryRows(this.#rows(request.table, table.versions, among), request)]
  }

  async #setMark(slot: number, name: string, present: boolean): Promise<boolean> {
    this.#checkWritable()
    const { marks } = this.#setting.database
    const key = primaryKeyText('', ['name'], { name })
    await this.#lock(rowLock('', key), 'exclusive')
    if ((this.#read('', marks, key) !== undefined) === present) return false
    const row = present ? { slot, values: { name } } : undefined
    this.#change('', { versions: marks, key, row })
    return true
  }

  #checkWritable(): void {
    if (!this.#isReadOnly) return
    throw new ShardError(
      'INVALID_OPTION',
      'this transaction was opened with readOnly: it cannot write',
    )
  }

  #writable(slot: number, name: string): MemoryTable {
    this.#checkWritable()
    const table = this.#setting.database.table(name)
    if ((table.spec.kind === 'reference') === (slot === REFERENCE_SLOT)) return table
    throw new ShardError(
      'NO_SLOT',
      slot === REFERENCE_SLOT
        ? `a row of ${name} needs the slot of its key`
        : `${name} is a reference table; write all its copies at once, under REFERENCE_SLOT`,
      { shard: this.#setting.shard, slot },
    )
  }

  /** Locks a row, and that its slot's rows change; gives the row if the claim reaches it. */
  async #lockToWrite(
    slot: number,
    table: MemoryTable,
    key: string,
    mayBeForeign = false,
  ): Promise<StoredRow | undefined> {
    const { name } = table.spec
    await this.#lock(rowLock(name, key), 'exclusive')
    await this.#lock(slotLock(name, slot), 'intent')
    const row = this.#read(name, table.versions, key)
    if (row === undefined || row.slot === slot) return row
    if (this.#isClaimed(table, row)) {
      await this.#lock(slotLock(name, row.slot), 'intent')
      return row
    }
    if (mayBeForeign) return undefined
    throw new ShardError(
      'CROSS_SHARD',
      `a row of ${name} with this primary key lies under slot ${row.slot}; claim that slot as well`,
      { shard: this.#setting.shard, slot: row.slot },
    )
  }

  #isClaimed(table: MemoryTable, row: StoredRow): boolean {
    return table.spec.kind === 'reference' || this.#slots.has(row.slot)
  }

  #change(name: string, change: RowChange): void {
    this.#changes.set(rowLock(name, change.key), change)
  }

  #read(name: string, versions: RowVersions, key: string): StoredRow | undefined {
    const own = this.#changes.get(rowLock(name, key))
    return own === undefined ? versions.at(key, this.#commit()) : own.row
  }

  *#rows(name: string, versions: RowVersions, among: ReadonlySet<number>): Generator<Row> {
    for (const [key, row] of versions.all(this.#commit())) {
      if (!this.#changes.has(rowLock(name, key)) && among.has(row.slot)) yield row.values
    }
    for (const { versions: changed, row } of this.#changes.values()) {
      if (changed === versions && row !== undefined && among.has(row.slot)) yield row.values
    }
  }

  #commit(): number {
    return this.#snapshot?.commit ?? this.#setting.database.commit
  }

  async #lock(key: string, mode: 'shared' | 'intent' | 'exclusive'): Promise<void> {
    if (this.#isReadOnly) return
    // It may have been undone since the last wait: what it took now, nobody would release.
    this.#checkOpen()
    await this.#setting.database.locks.acquireWithin(this.#owner, key, mode, this.#setting.wait)
  }
}

/** The lock that a change of a slot's fence takes, and every writer under it shares. */
export function fenceLock(slot: number): string {
  return `fence ${slot}`
}

function rowLock(table: string, key: string): string {
  return `row ${table.length} ${table} ${key}`
}

function slotLock(table: string, slot: number): string {
  return `slot ${slot} ${table}`
}

function checkFence(
  shard: string,
  slot: number,
  fence: Fence | undefined,
  epoch: number,
  isReadOnly: boolean,
): void {
  if (fence === undefined || fence.state === 'moved') {
    throw new ShardMoved(shard, slot, fence?.epoch ?? 0)
  }
  if (fence.epoch > epoch) throw new StaleEpoch(shard, slot, fence.epoch)
  const isShut = fence.state === 'arriving' || (fence.state === 'frozen' && !isReadOnly)
  if (isShut) throw new ShardFrozen(shard, slot, fence.epoch)
}
