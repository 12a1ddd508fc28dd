// A snapshot of one shard, being read: a REPEATABLE READ, READ ONLY transaction with a cursor over
// rows whose slot is owned in it. The list of owned slots is asked for only where the fences have
// changed since the last scan.

import type { Row, Scan } from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import { Cursor } from './cursor.ts'
import { BEGIN_READING, FENCE_VERSION, IS_OWNED, OWNED } from './fence-sql.ts'
import { isNotInstalled } from './postgres-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { columnsOf, scanSql } from './scan-sql.ts'
import type { StatementNames } from './statement.ts'
import type { TableLayouts } from './table-layout.ts'

/** The slots that a shard owned when its fences were last looked at. */
export interface OwnedSlots {
  readonly version: string
  readonly slots: readonly number[]
}

/** What a scan needs of its shard. */
export interface ScanSetting {
  readonly shard: string
  readonly session: PostgresSession
  readonly names: StatementNames
  readonly layouts: TableLayouts
  readonly batchRows: number
  readonly signal: AbortSignal | undefined
  /** What the scan before knew of the fences. */
  readonly known: OwnedSlots | undefined
  /** Called once when it has ended, however it did. */
  readonly onEnd: (scan: PostgresScan) => void
}

/** A scan in progress; {@link PostgresEngine.scan} opens it. */
export class PostgresScan implements Scan {
  readonly #setting: ScanSetting
  readonly #cursor: Cursor
  #owned: OwnedSlots = { version: '', slots: [] }
  #end: Promise<void> | undefined

  constructor(setting: ScanSetting) {
    this.#setting = setting
    this.#cursor = new Cursor(setting.session, setting.batchRows, true)
    setting.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  get owned(): readonly number[] {
    return this.#owned.slots
  }

  /** Opens the snapshot; gives what it found of the fences. */
  async open(request: ScanRequest): Promise<OwnedSlots> {
    try {
      await this.#open(request)
    } catch (error) {
      await this.fail(error)
      throw error
    }
    return this.#owned
  }

  async *rows(): AsyncGenerator<readonly Row[]> {
    if (this.#end !== undefined) throw this.#setting.session.failure ?? closed()
    for await (const rows of this.#cursor.batches()) {
      yield rows
      if (this.#end !== undefined) throw this.#setting.session.failure ?? closed()
    }
  }

  /** Waits for the batch that is being fetched. */
  close(): Promise<void> {
    this.#end ??= this.#close(closed())
    return this.#end
  }

  /** Ends it, from whatever side; a batch that is being fetched is given up. */
  fail(reason: unknown): Promise<void> {
    const { session } = this.#setting
    if (this.#end === undefined) {
      const given = session.cancel()
      this.#end = given.then(() => this.#close(reason))
      session.fail(reason)
    }
    return this.#end
  }

  readonly #abort = (): void => {
    this.fail(this.#setting.signal!.reason)
  }

  async #open(request: ScanRequest): Promise<void> {
    const { session, names, layouts, known } = this.#setting
    session.run(names.named(BEGIN_READING), { role: 'begin' })
    const versioned = session.run(names.named(FENCE_VERSION))
    const columns = columnsOf(request)
    try {
      const layout =
        layouts.peek(request.table, columns) ??
        (await layouts.read(session, request.table, columns))
      const { text, values } = scanSql(layout, request, (parameter) => {
        if (request.slots === undefined) return IS_OWNED
        return `ashlar_slot = any(${parameter(request.slots)}::int[]) and ${IS_OWNED}`
      })
      const opened = this.#cursor.open(text, values)
      // Where both are refused, what is said of the first is enough.
      opened.catch(ignore)
      const version = String((await versioned).rows[0]?.version)
      await opened
      this.#cursor.prefetch()
      this.#owned = version === known?.version ? known : { version, slots: await this.#slots() }
    } catch (error) {
      throw isNotInstalled(error) && (await hasFailed(versioned)) ? this.#notInstalled() : error
    }
  }

  async #slots(): Promise<number[]> {
    const { session, names } = this.#setting
    const { rows } = await session.run(names.named(OWNED))
    const text = String(rows[0]!.slots)
    return text === '' ? [] : text.split(',').map(Number)
  }

  #notInstalled(): ShardError {
    const { shard } = this.#setting
    return new ShardError('UNKNOWN_TABLE', `nothing was installed on shard ${shard}: run install`, {
      shard,
    })
  }

  async #close(reason: unknown): Promise<void> {
    const { session, signal, onEnd } = this.#setting
    signal?.removeEventListener('abort', this.#abort)
    session.fail(reason)
    await session.end()
    onEnd(this)
  }
}

async function hasFailed(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  )
}

function closed(): ShardError {
  return new ShardError('CLOSED', 'this scan was closed')
}

function ignore(): void {}
