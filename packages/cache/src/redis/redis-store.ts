// The far store in Redis: every change is one script, a read is a bare GET, many are one MGET.
//
// A GET cannot look at the epoch, so a record carries its own, and the store knows the present one
// for as long as its connection lasts: a server that restarts or fails over ends its connections,
// and on a new one nothing is read before the server was asked who it is.
//
// How much time a value has left is reckoned from the server's own clock, of which each answer to
// `position` is a reading that can only be too late, never too early; so values end early rather.

import { CacheError, show } from '../cache-error.ts'
import { platformMonotonic } from '../platform-monotonic.ts'
import { randomId } from '../tiered/random-id.ts'
import type {
  FillOptions,
  LeaseMode,
  LeaseReply,
  Store,
  StoreChange,
  StoredValue,
  StoreLease,
  StorePosition,
} from '../tiered/store.ts'
import type { RedisClient } from './redis-client.ts'
import { connectionOf, type RedisConnection } from './redis-connection.ts'
import { RedisReads } from './redis-reads.ts'
import { encodeKey, encodeTag, encodeTags, garbageOr, parseRecord } from './redis-record.ts'
import { CHANGE, FILL, LEASE, POSITION, READ } from './redis-scripts.ts'

/** Options of a {@link RedisStore}. */
export interface RedisStoreOptions {
  /**
   * Of `ioredis` from version 5; it stays the caller's, to connect and to close. With
   * `enableAutoPipelining` many reads at once cost one round trip.
   */
  readonly client: RedisClient
  /** Of all names in Redis: caches of different values need different ones. */
  readonly prefix?: string | undefined
  /**
   * Whether the server keeps everything that it acknowledged when it restarts (`appendonly yes`,
   * `appendfsync always`, no failover to a replica). Default false: what is there after a restart
   * does not count.
   */
  readonly isDurable?: boolean | undefined
  /** Elapsed milliseconds, never going back. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined
  /** A number in [0, 1), for names. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/**
 * A store in one Redis server from version 6.2, or in one that replicas may take over for.
 *
 * @example
 * const client = new Redis(url, { enableAutoPipelining: true })
 * const store = new RedisStore({ client, prefix: 'users' })
 */
export class RedisStore implements Store {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #tagPrefix: string
  readonly #isDurable: string
  readonly #monotonic: () => number
  readonly #random: () => number
  readonly #name: string
  readonly #hashes: Map<string, string> = new Map()
  readonly #connection: RedisConnection
  readonly #reads: RedisReads<StoredValue | undefined>
  #epoch: string | undefined
  /** How many connections had ended when the epoch was learned. */
  #learnedAt = 0
  #hello: Promise<StorePosition> | undefined
  /** What the server's clock said, less what ours did. */
  #aheadMs = 0

  /** @throws {CacheError} `ERR_CACHE_OPTION` */
  constructor(options: RedisStoreOptions) {
    const { client, prefix = 'ashlar:cache', random = Math.random } = options
    if (typeof client?.evalsha !== 'function') {
      const message = `client: got ${show(client)}, allowed is a client of ioredis from version 5`
      throw new CacheError('ERR_CACHE_OPTION', message)
    }
    this.#client = client
    this.#prefix = prefix
    this.#tagPrefix = `${prefix}:t:`
    this.#isDurable = options.isDurable === true ? '1' : '0'
    this.#monotonic = options.monotonic ?? platformMonotonic()
    this.#random = random
    this.#name = randomId(random)
    this.#connection = connectionOf(client)
    this.#reads = new RedisReads(client, (key, found) => this.#accept(key, found))
  }

  get(key: string, { isTagged }: { readonly isTagged: boolean }): Promise<StoredValue | undefined> {
    if (isTagged || this.#present() === undefined) return this.#getSlowly(key, isTagged)
    return this.#getBare(key)
  }

  /**
   * Asks to fill a key, for at most `leaseMs`.
   *
   * @throws {CacheError} `ERR_CACHE_GARBAGE` if something else is there.
   */
  async lease(
    key: string,
    { mode, leaseMs }: { readonly mode: LeaseMode; readonly leaseMs: number },
  ): Promise<LeaseReply> {
    for (;;) {
      const epoch = await this.#known()
      const keys = [this.#clock(), this.#valueName(key), this.#leaseName(key)]
      const args = [epoch, this.#tagPrefix, mode, `${Math.ceil(leaseMs)}`, this.#name]
      const reply = (await this.#run(LEASE, keys, args)) as string[]
      const [state, token, version] = reply
      if (state === 'granted') {
        const position = { epoch, version: Number(version) }
        return { kind: 'granted', lease: { key, token: token!, position } }
      }
      if (state === 'busy') return { kind: 'busy' }
      if (state === 'hit') return { kind: 'hit', value: this.#valueOf(parseRecord(token!, key)) }
      // It has begun another epoch meanwhile.
      this.#epoch = undefined
    }
  }

  async fill(lease: StoreLease, text: string, options: FillOptions): Promise<boolean> {
    const [kept] = await this.#fill(lease, text, options, ['fill'])
    return kept === 1
  }

  async release(lease: StoreLease): Promise<void> {
    await this.#fill(lease, '', { ttlMs: 1, tags: [] }, ['release'])
  }

  async commit(lease: StoreLease, text: string, options: FillOptions): Promise<StoreChange> {
    const body = JSON.stringify({ keys: [lease.key], tags: [] })
    const announced = ['commit', randomId(this.#random), this.#channel(), body]
    const [, ...change] = await this.#fill(lease, text, options, announced)
    return this.#changeOf(change)
  }

  async change({
    keys,
    tags,
  }: {
    readonly keys: readonly string[]
    readonly tags: readonly string[]
  }): Promise<StoreChange> {
    const names = keys.flatMap((key) => [this.#valueName(key), this.#leaseName(key)])
    for (const tag of tags) names.push(this.#tagPrefix + encodeTag(tag))
    const body = JSON.stringify({ keys, tags })
    return await this.#change(names, body, '0')
  }

  async clear(): Promise<StoreChange> {
    return await this.#change([], JSON.stringify({ keys: [], tags: [] }), '1')
  }

  async position(): Promise<StorePosition> {
    const sentMs = this.#monotonic()
    const args = [randomId(this.#random), this.#isDurable]
    const reply = (await this.#run(POSITION, [this.#clock()], args)) as string[]
    const [epoch, version, micros] = reply
    this.#aheadMs = Number(micros) / 1000 - sentMs
    this.#learn(epoch!)
    return { epoch: epoch!, version: Number(version) }
  }

  heard({ epoch }: StorePosition): void {
    if (epoch !== this.#epoch) this.#epoch = undefined
  }

  /** The epoch of the server at the other end of this connection, if it was asked. */
  #present(): string | undefined {
    return this.#learnedAt === this.#connection.ended ? this.#epoch : undefined
  }

  #learn(epoch: string): void {
    this.#epoch = epoch
    this.#learnedAt = this.#connection.ended
  }

  async #known(): Promise<string> {
    return this.#present() ?? (await this.#greet()).epoch
  }

  /** Asks a server who it is; once for all who want to know. */
  #greet(): Promise<StorePosition> {
    if (this.#hello === undefined) {
      const hello = this.position()
      const done = () => {
        if (this.#hello === hello) this.#hello = undefined
      }
      this.#hello = hello
      hello.then(done, done)
    }
    return this.#hello
  }

  async #getSlowly(key: string, isTagged: boolean): Promise<StoredValue | undefined> {
    if (this.#present() === undefined) await this.#greet()
    return await (isTagged ? this.#getTagged(key) : this.#getBare(key))
  }

  #getBare(key: string): Promise<StoredValue | undefined> {
    if (!this.#connection.isOpen) return Promise.reject(away())
    return this.#reads.get(key, this.#valueName(key))
  }

  #accept(
    key: string,
    found: string | null,
  ): StoredValue | undefined | Promise<StoredValue | undefined> {
    if (found === null) return undefined
    const record = parseRecord(found, key)
    // Of another life of the server, or of another connection: not to be believed.
    if (record.epoch !== this.#present()) return undefined
    return record.tags.length === 0 ? this.#valueOf(record) : this.#getTagged(key)
  }

  async #getTagged(key: string): Promise<StoredValue | undefined> {
    const epoch = await this.#known()
    const names = [this.#clock(), this.#valueName(key)]
    const found = await this.#run(READ, names, [epoch, this.#tagPrefix])
    return typeof found === 'string' ? this.#valueOf(parseRecord(found, key)) : undefined
  }

  async #fill(
    { key, token, position }: StoreLease,
    text: string,
    { ttlMs, tags }: FillOptions,
    rest: readonly string[],
  ): Promise<unknown[]> {
    await this.#known()
    const names = [this.#clock(), this.#valueName(key), this.#leaseName(key)]
    for (const tag of tags) names.push(this.#tagPrefix + encodeTag(tag))
    const ttl = ttlMs === Number.POSITIVE_INFINITY ? '' : `${Math.floor(ttlMs)}`
    const about = [position.epoch, this.#tagPrefix, token, ttl, encodeTags(tags), text]
    return (await this.#run(FILL, names, [...about, ...rest])) as unknown[]
  }

  async #change(names: readonly string[], body: string, all: string): Promise<StoreChange> {
    await this.#known()
    const args = [randomId(this.#random), this.#channel(), body, all]
    return this.#changeOf((await this.#run(CHANGE, [this.#clock(), ...names], args)) as string[])
  }

  #changeOf([epoch, version, previous]: readonly unknown[]): StoreChange {
    this.#learn(String(epoch))
    return { epoch: String(epoch), version: Number(version), previous: Number(previous) }
  }

  /** Runs a script that the server knows, or makes it known. */
  async #run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    this.#refuseAway()
    const { ended } = this.#connection
    const all = [...keys, ...args]
    const hash = this.#hashes.get(script)
    const reply = await (hash === undefined
      ? this.#teach(script, keys, all)
      : this.#client.evalsha(hash, keys.length, ...all)
    ).catch((error) => {
      if (!String(error?.message).startsWith('NOSCRIPT')) throw garbageOr(error)
      return this.#client.eval(script, keys.length, ...all)
    })
    // A client may have sent it again to a server that had restarted meanwhile.
    if (ended !== this.#connection.ended) throw away()
    return reply
  }

  async #teach(script: string, keys: readonly string[], all: readonly string[]): Promise<unknown> {
    this.#hashes.set(script, String(await this.#client.script('LOAD', script)))
    return await this.#client.eval(script, keys.length, ...all)
  }

  /** A client would keep a command until the server is back: by then it is old. */
  #refuseAway(): void {
    if (!this.#connection.isOpen) throw away()
  }

  #valueOf({
    text,
    endMs,
    tags,
  }: {
    text: string
    endMs: number
    tags: readonly string[]
  }): StoredValue {
    return { text, tags, leftMs: endMs - this.#aheadMs - this.#monotonic() }
  }

  #clock(): string {
    return `${this.#prefix}:clock`
  }

  #channel(): string {
    return `${this.#prefix}:bus`
  }

  #valueName(key: string): string {
    return `${this.#prefix}:v:${encodeKey(key)}`
  }

  #leaseName(key: string): string {
    return `${this.#prefix}:l:${encodeKey(key)}`
  }
}

function away(): CacheError {
  return new CacheError('ERR_CACHE_STORE_DOWN', 'there is no connection to Redis at the moment')
}
