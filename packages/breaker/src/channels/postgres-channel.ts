// The channel over PostgreSQL: NOTIFY and LISTEN for messages, a row with a time for the right to
// probe. The time is the server's, so that all processes go by one clock; a row whose time is over
// is taken by whoever comes first, in one statement.
//
//   key (JSON text) │ token       │ expires_at
//   "billing"       │ k3j….9x2…   │ 2026-01-01 12:00:10+00

import { describe, refuse, requireFunction } from '../breaker-error.ts'
import type { BreakerChannel, ProbeHold } from '../channel.ts'
import { ChannelError } from '../channel-error.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { ChannelListeners } from './channel-listeners.ts'
import { type PostgresListenClient, PostgresListener } from './postgres-listener.ts'
import { probeKey, probeToken } from './probe-token.ts'

export type { PostgresListenClient } from './postgres-listener.ts'

/** Runs one statement. A `Pool` of the package `pg` fits; so does anything with the same method. */
export interface PostgresClient {
  query(
    text: string,
    values?: unknown[],
  ): PromiseLike<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/u
const TABLE = /^[A-Za-z_][A-Za-z0-9_]{0,62}(?:\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/u
/** The server's limit on what is notified. */
const MAX_PAYLOAD_BYTES = 7_999
const NO_SUCH_TABLE = '42P01'
/** Somebody else made it at the same moment: as a table, as its type, or as its name. */
const MADE_ALREADY = new Set<unknown>(['42P07', '42710', '23505'])
const encoder = new TextEncoder()

/** Joins breakers through a PostgreSQL server. */
export class PostgresChannel implements BreakerChannel, AsyncDisposable {
  readonly #client: PostgresClient
  readonly #name: string
  readonly #table: string
  readonly #random: () => number
  readonly #listener: PostgresListener
  readonly #listeners = new ChannelListeners()
  #isClosed = false

  /**
   * Asks nothing of the database yet.
   *
   * @param options.client a `Pool` of the package `pg`, say; it stays the caller's, to end as well
   * @param options.listen makes a client that listens and is ended by the channel; called again
   *   whenever its connection is lost, at most after 5 s
   * @param options.name of the NOTIFY channel; default `ashlar_breaker`
   * @param options.table `table` or `schema.table`, made when it is first needed; default
   *   `ashlar_breaker_probes`
   * @param options.random for tokens and pauses; default `Math.random`
   * @param options.onError hears of the listening connection's errors
   * @throws BreakerError INVALID_OPTION
   *
   * @example
   * const channel = new PostgresChannel({
   *   client: new pg.Pool({ connectionString }),
   *   listen: () => new pg.Client({ connectionString, keepAlive: true }),
   * })
   */
  constructor(options: {
    readonly client: PostgresClient
    readonly listen: () => PostgresListenClient
    readonly name?: string
    readonly table?: string
    readonly timers?: Timers
    readonly random?: () => number
    readonly onError?: (error: unknown) => void
  }) {
    const { client, name = 'ashlar_breaker', table = 'ashlar_breaker_probes' } = options
    requireName('name', NAME, name)
    requireName('table', TABLE, table)
    this.#client = client
    this.#name = name
    this.#table = `"${table.replace('.', '"."')}"`
    this.#random = options.random ?? Math.random
    this.#listener = new PostgresListener({
      listen: requireFunction('listen', options.listen),
      statement: `listen "${name}"`,
      timers: options.timers ?? platformTimers,
      random: this.#random,
      onMessage: (message) => this.#listeners.tell(message),
      onReady: () => this.#listeners.tellGap(),
      onError: options.onError ?? (() => {}),
    })
  }

  /** Makes the table unless it is there: for a role that may, before one that may not. */
  async createTable(): Promise<void> {
    this.#refuseClosed()
    try {
      await this.#client.query(
        `create table if not exists ${this.#table}
          (key text primary key, token text not null, expires_at timestamptz not null)`,
      )
    } catch (error) {
      if (!MADE_ALREADY.has(codeOf(error))) throw unavailable(error)
    }
  }

  /** @throws ChannelError (rejects) UNAVAILABLE, MESSAGE_TOO_LARGE, CLOSED */
  async publish(message: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#refuseClosed()
    signal.throwIfAborted()
    const { length } = encoder.encode(message)
    if (length > MAX_PAYLOAD_BYTES) {
      const limit = `PostgreSQL takes at most ${MAX_PAYLOAD_BYTES} bytes`
      throw new ChannelError('MESSAGE_TOO_LARGE', `${limit}, the message has ${length}`)
    }
    await this.#rows('select pg_notify($1, $2)', [this.#name, message])
  }

  /** Connects when somebody first subscribes; goes on listening until {@link close}. */
  subscribe(listener: (message: string) => void, onGap?: () => void): () => void {
    this.#refuseClosed()
    const unsubscribe = this.#listeners.add(listener, onGap)
    this.#listener.start()
    return unsubscribe
  }

  /**
   * Holds the key by the server's clock.
   *
   * @throws ChannelError (rejects) UNAVAILABLE, CLOSED
   */
  async tryHold(key: string, ttlMs: number): Promise<ProbeHold | null> {
    this.#refuseClosed()
    const name = probeKey(key)
    const token = probeToken(this.#random)
    const [row] = await this.#rowsOfTable(
      `insert into ${this.#table} as held (key, token, expires_at)
        values ($1, $2, clock_timestamp() + $3::float8 * interval '1 ms')
        on conflict (key) do update set token = excluded.token, expires_at = excluded.expires_at
        where held.expires_at <= clock_timestamp()
        returning token`,
      [name, token, ttlMs],
    )
    if (row === undefined) return null
    const release = `delete from ${this.#table} where key = $1 and token = $2`
    return { release: () => this.#rows(release, [name, token]) }
  }

  /** Listens no more, and ends the client that listened. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    await this.#listener.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #rowsOfTable(text: string, values: unknown[]): Promise<readonly unknown[]> {
    try {
      return (await this.#client.query(text, values)).rows
    } catch (error) {
      if (codeOf(error) !== NO_SUCH_TABLE) throw unavailable(error)
    }
    await this.createTable()
    return this.#rows(text, values)
  }

  async #rows(text: string, values: unknown[]): Promise<readonly unknown[]> {
    this.#refuseClosed()
    try {
      return (await this.#client.query(text, values)).rows
    } catch (error) {
      throw unavailable(error)
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new ChannelError('CLOSED', 'the channel is closed: make a new one')
  }
}

function requireName(option: string, pattern: RegExp, given: string): void {
  if (typeof given === 'string' && pattern.test(given)) return
  const kind = option === 'table' ? 'a name, or schema.name,' : 'a name'
  refuse(option, `${kind} of at most 63 letters, digits and underscores`, given)
}

/** The five characters by which PostgreSQL names an error. */
function codeOf(error: unknown): unknown {
  return ((error ?? {}) as { readonly code?: unknown }).code
}

function unavailable(cause: unknown): ChannelError {
  if (cause instanceof ChannelError) return cause
  const said = cause instanceof Error ? cause.message : describe(cause)
  return new ChannelError('UNAVAILABLE', `PostgreSQL failed: ${said}`, { cause })
}
