// The shortener itself. It knows no HTTP and no database, and everything that it works with is
// given to it: over SQLite, PostgreSQL or a simulated fleet it is the same code.
//
// A request with a key is carried out once, however often it is sent, without a transaction over
// shards: its key is given an id first, once and for all, and then that link is written, once. Who
// dies between the two leaves a key whose next try ends what was begun.

import type { KeyedBreakers } from '@ashlar/breaker'
import { type CacheLike, LoadingCache } from '@ashlar/cache'
import { base62, type Snowflake, type Timers } from '@ashlar/id'
import { ShardError, type ShardRouter, type ShardTx } from '@ashlar/shard'
import { HitCounter } from './hit-counter.ts'
import { refusalOf, ShortenerError } from './shortener-error.ts'

const MAX_URL_LENGTH = 2_048
const MAX_REQUEST_LENGTH = 200
const MAX_TRIES = 4

/** A short link. */
export interface Link {
  /** Eleven letters and digits; later links have later ids. */
  readonly id: string
  readonly url: string
}

/** What a {@link Shortener} works with. All of it stays the caller's to close. */
export interface ShortenerOptions {
  readonly router: Pick<ShardRouter<ShardTx>, 'route' | 'withShard' | 'load'>
  readonly ids: Pick<Snowflake, 'next' | 'observe'>
  /** Where links are kept that were read; this shortener's alone. */
  readonly cache: CacheLike<string, unknown>
  /** By shard. */
  readonly breakers: Pick<KeyedBreakers, 'run'>
  readonly timers: Timers
  readonly monotonic: () => number
  readonly random: () => number
  /** For how long a link may be answered from the cache that another server deleted. 5 seconds. */
  readonly ttlMs?: number | undefined
  /** And while its shard does not answer. 10 minutes. */
  readonly staleIfErrorMs?: number | undefined
  /** How long a call of a shard may take. 3 seconds. */
  readonly timeoutMs?: number | undefined
  /** How long a hit waits to be written. 1 second. */
  readonly hitsEveryMs?: number | undefined
  /** Whether the code at a label should misbehave now; for tests. */
  readonly buggify?: ((label: string) => boolean) | undefined
}

/** Makes, finds and deletes short links. Every method rejects with a {@link ShortenerError}. */
export class Shortener {
  readonly #options: ShortenerOptions
  readonly #timeoutMs: number
  readonly #links: LoadingCache<string, Link | undefined>
  readonly #hits: HitCounter

  constructor(options: ShortenerOptions) {
    const { router, ids, cache, timers, monotonic, random } = options
    const { ttlMs = 5_000, staleIfErrorMs = 600_000 } = options
    this.#options = options
    this.#timeoutMs = options.timeoutMs ?? 3_000
    this.#links = new LoadingCache<string, Link | undefined>({
      load: (id) => this.#load(id),
      store: cache,
      ttlMs,
      staleIfErrorMs,
      // That there is no such link is worth remembering, that a shard failed is the breaker's.
      negativeTtlMs: (error) => (error === undefined ? ttlMs : 0),
      ...{ timers, monotonic, random },
    })
    this.#hits = new HitCounter({
      save: (rows) => router.load('hits', rows),
      nextName: () => base62.encode(ids.next()),
      everyMs: options.hitsEveryMs ?? 1_000,
      timers,
    })
  }

  /**
   * Makes a link.
   *
   * @param options.request the same for every try of one request: it makes one link, and all
   *   tries are answered with that
   * @param options.after an id that the new one must sort behind, whatever the clocks say
   */
  async create(
    input: string,
    { request, after }: { readonly request?: string; readonly after?: string } = {},
  ): Promise<Link> {
    const url = checkedUrl(input)
    checkRequest(request)
    const fresh: Link = { id: this.#nextId(after), url }
    if (request === undefined) {
      await this.#write(fresh)
      return fresh
    }
    const link = await this.#claim(request, fresh)
    if (link.url !== url) {
      const message = 'this Idempotency-Key was used for another URL: take another key'
      throw new ShortenerError('REQUEST_REUSED', message)
    }
    if (this.#options.buggify?.('create between claim and write')) throw lost()
    await this.#write(link, request)
    return link
  }

  /** Where a link leads, undefined if there is none; counts a hit. */
  async resolve(id: string): Promise<string | undefined> {
    const link = isId(id) ? await this.#links.get(id) : undefined
    if (link !== undefined) this.#hits.add(id)
    return link?.url
  }

  /** A link as its shard has it now, with its hits; undefined if there is none. */
  async inspect(id: string): Promise<(Link & { readonly hits: number }) | undefined> {
    if (!isId(id)) return undefined
    const read = (tx: ShardTx) => Promise.all([tx.get('links', { id }), hitsOf(tx, id)])
    const [link, hits] = await this.#onShard('links', id, read, { readOnly: true })
    if (link === undefined) return undefined
    const counted = hits.reduce((sum, row) => sum + Number(row.hits), this.#hits.unsaved(id))
    return { id, url: String(link.url), hits: counted }
  }

  /** Deletes a link; false if there was none, and `request` is not the one that deleted it. */
  async delete(id: string, { request }: { readonly request?: string } = {}): Promise<boolean> {
    if (!isId(id)) return false
    checkRequest(request)
    const op = `delete ${id}`
    const isDone = await this.#onShard('links', id, async (tx) => {
      if (!(await tx.delete('links', { id }))) {
        if (request === undefined) return false
        return (await tx.get('audit', { op }))?.request === request
      }
      const counts = await hitsOf(tx, id)
      await Promise.all([
        tx.put('audit', { op, link_id: id, request: request ?? null }),
        ...counts.map(({ counter }) => tx.delete('hits', { link_id: id, counter })),
      ])
      return true
    })
    this.#links.delete(id)
    if (this.#options.buggify?.('delete done and answer lost')) throw lost()
    return isDone
  }

  /** Writes the hits that are not written, and refuses what comes later. */
  async close(): Promise<void> {
    await this.#hits.close()
    this.#links.close()
  }

  #nextId(after: string | undefined): string {
    const { ids } = this.#options
    try {
      if (after !== undefined) ids.observe(base62.decode(after))
      return base62.encode(ids.next())
    } catch (error) {
      throw refusalOf(error)
    }
  }

  /** The link of a request: this one, if it is the first with that key. */
  #claim(request: string, { id, url }: Link): Promise<Link> {
    return this.#onShard('requests', request, async (tx) => {
      // A mark is there once, also for two that come at the same time.
      if (await tx.mark(`request ${request}`)) {
        await tx.put('requests', { key: request, link_id: id, url })
        return { id, url }
      }
      const row = await tx.get('requests', { key: request })
      return { id: String(row?.link_id), url: String(row?.url) }
    })
  }

  #write({ id, url }: Link, request?: string): Promise<void> {
    return this.#onShard('links', id, async (tx) => {
      // A late copy of the request must not bring back a link that was deleted meanwhile.
      if (request !== undefined && !(await tx.mark(`created ${id}`))) return
      await Promise.all([
        tx.put('links', { id, url }),
        tx.put('audit', { op: `create ${id}`, link_id: id, request: request ?? null }),
      ])
    })
  }

  async #load(id: string): Promise<Link | undefined> {
    const read = (tx: ShardTx) => tx.get('links', { id })
    const row = await this.#onShard('links', id, read, { readOnly: true })
    return row && { id, url: String(row.url) }
  }

  /** In a transaction on the shard of a key, by way of that shard's breaker. */
  async #onShard<R>(
    table: string,
    key: string,
    act: (tx: ShardTx) => Promise<R>,
    { readOnly = false } = {},
  ): Promise<R> {
    const { router, breakers } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        return await breakers.run(
          router.route(key, table).shard,
          ({ signal }) => router.withShard(key, act, { table, readOnly, signal }),
          { timeoutMs: this.#timeoutMs },
        )
      } catch (error) {
        if (tries === MAX_TRIES || !isConflict(error)) throw refusalOf(error)
      }
    }
  }
}

/** Two transactions were in each other's way, and this one was undone. */
function isConflict(error: unknown): boolean {
  return error instanceof ShardError && error.code === 'ROLLED_BACK'
}

function hitsOf(tx: ShardTx, id: string) {
  return tx.select({ table: 'hits', where: [{ column: 'link_id', is: '=', value: id }] })
}

function checkedUrl(input: string): string {
  const url = input.length <= MAX_URL_LENGTH ? URL.parse(input) : null
  if (url !== null && /^https?:$/u.test(url.protocol) && url.username + url.password === '') {
    return url.href
  }
  const allowed = `a URL of http or https, without a password, of at most ${MAX_URL_LENGTH} letters`
  throw new ShortenerError('INVALID_URL', `url is ${allowed}`)
}

function checkRequest(request: string | undefined): void {
  if (request === undefined || /^[\x21-\x7e]{1,200}$/u.test(request)) return
  const allowed = `1 to ${MAX_REQUEST_LENGTH} visible letters of ASCII`
  throw new ShortenerError('INVALID_REQUEST_KEY', `an Idempotency-Key has ${allowed}`)
}

/** Whether it could be the id of a link. */
function isId(text: string): boolean {
  // The largest of 63 bits, in digits that sort as numbers do.
  return /^[0-9A-Za-z]{11}$/u.test(text) && text <= 'AzL8n0Y58m7'
}

function lost(): ShortenerError {
  return new ShortenerError('SHARD_UNAVAILABLE', 'the answer was lost', { retryAfterMs: 1 })
}
