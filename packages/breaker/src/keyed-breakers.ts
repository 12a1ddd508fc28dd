// One breaker for each upstream, in bounded memory. What must go when the room is full: the least
// recently used of the closed ones, those without calls under way first; an open, half-open or
// isolated one only if there is no closed one at all, since forgetting it would let calls through.
// A breaker that was evicted still serves whoever holds it; its key gets a new one.

import { refuse, requireFunction, requireInteger } from './breaker-error.ts'
import {
  type BreakerOptions,
  CHECKED,
  platform,
  type Settings,
  settle,
  shareSettings,
} from './breaker-settings.ts'
import { CircuitBreaker, machineOf } from './circuit-breaker.ts'
import type { CallContext, RunOptions } from './limited-call.ts'
import { RecencyList } from './recency-list.ts'

/** How many breakers are kept, and how long. */
export interface KeyedOptions<K = string> {
  /** At most so many, 1 to 16,000,000; default 10,000. */
  readonly max?: number
  /** Closed ones unused for so many milliseconds are forgotten; default never. */
  readonly idleMs?: number
  /** Told of each breaker when it is made: the place to listen to its events. */
  readonly onCreate?: (breaker: CircuitBreaker, key: K) => void
  /** Read only where `idleMs` is given; default `performance.now`. */
  readonly monotonic?: () => number
}

/**
 * Breakers by key, made when first asked for. Keys are compared as a Map compares them.
 *
 * @throws BreakerError INVALID_OPTION
 * @example
 * const breakers = new KeyedBreakers((host) => ({ trip: consecutive(5) }), { max: 1_000 })
 * await breakers.get('eu-1').run(() => query('eu-1'))
 */
export class KeyedBreakers<K = string> {
  readonly #optionsOf: (key: K) => BreakerOptions
  readonly #max: number
  readonly #idleMs: number
  readonly #onCreate: KeyedOptions<K>['onCreate']
  readonly #monotonic: () => number
  readonly #slots = new Map<K, number>()
  readonly #order: RecencyList = new RecencyList()
  // By slot; slot 0 is nobody's. Sparse beginnings, so that they stay plain arrays.
  readonly #breakers: (CircuitBreaker | undefined)[] = [undefined]
  readonly #keys: (K | undefined)[] = [undefined]
  readonly #usedMs: number[] = [0]
  #settings: Settings | undefined
  #sweepAtMs = Number.NEGATIVE_INFINITY

  /** @param options of every breaker, or a function that gives those of a key. */
  constructor(
    options: BreakerOptions | ((key: K) => BreakerOptions) = {},
    keyed: KeyedOptions<K> = {},
  ) {
    this.#optionsOf = typeof options === 'function' ? options : () => options
    this.#max = requireInteger('max', keyed.max ?? 10_000, 1, 16_000_000)
    this.#idleMs = keyed.idleMs ?? Number.POSITIVE_INFINITY
    if (!(this.#idleMs > 0)) refuse('idleMs', 'a number of milliseconds above 0', keyed.idleMs)
    this.#onCreate = keyed.onCreate && requireFunction('onCreate', keyed.onCreate)
    this.#monotonic = requireFunction('monotonic', keyed.monotonic ?? platform.monotonic)
    // What is wrong with options for all keys is said now, not at the first call.
    if (typeof options !== 'function') this.#settings = settle(options)
  }

  /** How many breakers there are. */
  get size(): number {
    return this.#slots.size
  }

  /**
   * The key's breaker, now the most recently used; its name is the key unless options name it.
   * O(1); a key that is new when the room is full costs as many steps as there are breakers used
   * less recently than the closed one that goes.
   *
   * @throws BreakerError INVALID_OPTION if the options of the key are wrong
   */
  get(key: K): CircuitBreaker {
    const slot = this.#slots.get(key)
    if (this.#idleMs !== Number.POSITIVE_INFINITY) return this.#getTimed(key, slot)
    if (slot === undefined) return this.#make(key, 0)
    this.#order.touch(slot)
    return this.#breakers[slot]!
  }

  /** The key's breaker if there is one; does not count as use. */
  peek(key: K): CircuitBreaker | undefined {
    const slot = this.#slots.get(key)
    return slot === undefined ? undefined : this.#breakers[slot]
  }

  /**
   * Calls the function through the key's breaker; see {@link CircuitBreaker.run}.
   *
   * @param fn the call; it is given the signal
   */
  run<T>(
    key: K,
    fn: (context: CallContext) => T | PromiseLike<T>,
    options?: RunOptions,
  ): Promise<T> {
    return this.get(key).run(fn, options)
  }

  /** Forgets the key's breaker, whatever its state; false if there is none. */
  delete(key: K): boolean {
    const slot = this.#slots.get(key)
    if (slot === undefined) return false
    this.#remove(slot)
    return true
  }

  /** Forgets the closed ones that have been idle for `idleMs`; returns how many. O(size). */
  sweep(): number {
    const before = this.size
    const latestMs = this.#monotonic() - this.#idleMs
    let slot = this.#order.later(0)
    while (slot !== 0 && this.#usedMs[slot]! <= latestMs) {
      const later = this.#order.later(slot)
      // Calls under way do not keep it: they have been for longer than it should be kept.
      if (machineOf(this.#breakers[slot]!).state === 'closed') this.#remove(slot)
      slot = later
    }
    return before - this.size
  }

  /** Keys and breakers, least recently used first. */
  *[Symbol.iterator](): IterableIterator<[K, CircuitBreaker]> {
    for (let slot = this.#order.later(0); slot !== 0; slot = this.#order.later(slot)) {
      yield [this.#keys[slot] as K, this.#breakers[slot]!]
    }
  }

  #getTimed(key: K, known: number | undefined): CircuitBreaker {
    const nowMs = this.#monotonic()
    let slot = known
    // Often enough that nobody stays for long, seldom enough that it costs nothing.
    if (nowMs >= this.#sweepAtMs) {
      this.#sweepAtMs = nowMs + this.#idleMs / 4
      this.sweep()
      slot = this.#slots.get(key)
    }
    if (slot === undefined) return this.#make(key, nowMs)
    this.#order.touch(slot)
    this.#usedMs[slot] = nowMs
    return this.#breakers[slot]!
  }

  #make(key: K, nowMs: number): CircuitBreaker {
    const options = this.#optionsOf(key)
    this.#settings = shareSettings(settle(options), this.#settings)
    const name = options.name ?? String(key)
    const checked = { name, [CHECKED]: this.#settings }
    const breaker = new CircuitBreaker(checked)
    if (this.size >= this.#max) this.#evict()
    const slot = this.#order.add()
    this.#slots.set(key, slot)
    this.#keys[slot] = key
    this.#breakers[slot] = breaker
    if (this.#idleMs !== Number.POSITIVE_INFINITY) this.#usedMs[slot] = nowMs
    this.#onCreate?.(breaker, key)
    return breaker
  }

  #evict(): void {
    let busy = 0
    let open = 0
    for (let slot = this.#order.later(0); slot !== 0; slot = this.#order.later(slot)) {
      const { state, inFlight } = machineOf(this.#breakers[slot]!)
      if (state === 'closed' && inFlight === 0) {
        this.#remove(slot)
        return
      }
      if (state === 'closed') busy ||= slot
      else if (state !== 'isolated') open ||= slot
    }
    this.#remove(busy || open || this.#order.later(0))
  }

  #remove(slot: number): void {
    this.#slots.delete(this.#keys[slot] as K)
    this.#keys[slot] = undefined
    this.#breakers[slot] = undefined
    this.#order.remove(slot)
  }
}
