// A snapshot of one memory database, being read: rows of the slots that the shard owns in it, and
// all rows of a reference table.

import type { Row, Scan } from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import type { EngineSteps } from './engine-steps.ts'
import type { MemoryDatabase, MemoryTable, Snapshot } from './memory-database.ts'
import { checkRequest, queryRows } from './row-query.ts'

/** What a scan needs of its engine. */
export interface ScanSetting {
  readonly database: MemoryDatabase
  readonly steps: EngineSteps
  /** Called once when it has ended, however it did. */
  readonly onEnd: (scan: MemoryScan) => void
}

/** A scan in progress; {@link MemoryEngine.scan} opens it. */
export class MemoryScan implements Scan {
  readonly owned: readonly number[]
  readonly #setting: ScanSetting
  readonly #request: ScanRequest
  readonly #signal: AbortSignal | undefined
  readonly #batchRows: number
  readonly #table: MemoryTable
  readonly #snapshot: Snapshot
  #failure: unknown

  constructor(
    setting: ScanSetting,
    request: ScanRequest,
    options: { readonly signal: AbortSignal | undefined; readonly batchRows: number },
  ) {
    checkRequest(request)
    this.#setting = setting
    this.#request = request
    this.#signal = options.signal
    this.#batchRows = options.batchRows
    this.#table = setting.database.table(request.table)
    this.#snapshot = setting.database.openSnapshot()
    this.owned = [...this.#snapshot.fences.values()]
      .filter(({ state }) => state === 'owned' || state === 'frozen')
      .map((fence) => fence.slot)
      .filter((slot) => slot >= 0)
      .sort((a, b) => a - b)
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  async *rows(): AsyncGenerator<readonly Row[]> {
    const { steps } = this.#setting
    this.#checkOpen()
    const found = queryRows(this.#visible(), this.#request)
    for (;;) {
      const batch = await steps.run('rows', () => {
        this.#checkOpen()
        return take(found, this.#batchRows)
      })
      this.#checkOpen()
      if (batch.length > 0) yield batch
      if (batch.length < this.#batchRows) return
    }
  }

  async close(): Promise<void> {
    await this.#setting.steps.pause('close:before')
    this.fail(new ShardError('CLOSED', 'this scan was closed'))
  }

  /** Ends it, from whatever side. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#snapshot.close()
    this.#setting.onEnd(this)
  }

  readonly #abort = (): void => this.fail(this.#signal!.reason)

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  *#visible(): Generator<Row> {
    const isReference = this.#table.spec.kind === 'reference'
    const owned = new Set(this.owned)
    const wanted = this.#request.slots ?? this.owned
    const slots = new Set(wanted.filter((slot) => owned.has(slot)))
    for (const [, row] of this.#table.versions.all(this.#snapshot.commit)) {
      if (isReference || slots.has(row.slot)) yield row.values
    }
  }
}

function take(rows: Iterator<Row>, count: number): Row[] {
  const batch: Row[] = []
  while (batch.length < count) {
    const { done, value } = rows.next()
    if (done) break
    batch.push(value)
  }
  return batch
}
