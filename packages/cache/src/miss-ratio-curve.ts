// How often an LRU cache of any size would miss, from one pass over a sample: SHARDS with a fixed
// number of samples (Waldspurger, Park, Garthwaite and Ahmad, Efficient MRC Construction with
// SHARDS, FAST 2015).
//
//   a key is sampled ⟺ hash(key) < threshold            rate R = threshold / 2^24
//   reuse distance d among sampled keys ──> d / R among all; a use stands for 1 / R uses
//   more than maxSamples keys: the largest hash leaves, and the threshold falls to it
//
// What popular keys that were, or were not, sampled add or leave out is made up for at distance 0
// ("SHARDS-adj"). Memory is bounded by maxSamples and the histogram, whatever the stream.

import { CacheError, show } from './cache-error.ts'
import { IdentityHash } from './identity-hash.ts'
import { hashInteger, hashString } from './key-hash.ts'
import { ReuseDistance } from './reuse-distance.ts'

const MODULUS = 2 ** 24
/** Buckets a doubling of the distance: sizes are known to within 1 / 64. */
const STEPS = 64
const EXACT = 2 * STEPS
const BUCKETS = EXACT + STEPS * 45

/** Options of a {@link MissRatioCurve}. */
export interface MissRatioCurveOptions {
  /**
   * Keys of which it keeps track, 1 to 4,194,304; default 8,192, with which the error on recorded
   * requests is about a point. Up to so many different keys the only error is that sizes from 128
   * are known to within 1/64.
   */
  readonly maxSamples?: number | undefined
  /** A number in [0, 1): seeds the hash, hence which keys are sampled. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** A point of a {@link MissRatioCurve}. */
export interface MissRatioPoint {
  /** Room of the cache, in entries. */
  readonly max: number
  readonly missRatio: number
}

/**
 * The miss ratios that LRU caches of every size would have had on what was recorded.
 *
 * @example
 * const curve = new MissRatioCurve<string>()
 * for (const key of requests) curve.record(key)
 * curve.missRatio(2 * cache.size) // what twice the memory would give
 */
export class MissRatioCurve<K> {
  readonly #maxSamples: number
  readonly #seed: number
  readonly #others: IdentityHash
  readonly #distances: ReuseDistance<K>
  readonly #largest: LargestFirst<K> = new LargestFirst()
  /** Uses by how much room makes them hits, in the buckets of `bucketOf`. */
  readonly #uses: Float64Array = new Float64Array(BUCKETS)
  #threshold = MODULUS
  #requests = 0
  /** What the sampled uses stand for, first uses included. */
  #represented = 0

  /** @throws {CacheError} `ERR_CACHE_OPTION` */
  constructor({ maxSamples = 8192, random = Math.random }: MissRatioCurveOptions = {}) {
    if (!(Number.isInteger(maxSamples) && maxSamples >= 1 && maxSamples <= 2 ** 22)) {
      const allowed = 'a whole number from 1 to 4,194,304'
      const message = `maxSamples: got ${show(maxSamples)}, allowed is ${allowed}`
      throw new CacheError('ERR_CACHE_OPTION', message)
    }
    this.#maxSamples = maxSamples
    this.#seed = Math.floor(random() * 2 ** 32) | 0
    this.#others = new IdentityHash(this.#seed)
    // One more than the most: a new key comes in before another leaves.
    this.#distances = new ReuseDistance(maxSamples + 1)
  }

  /** Requests that were recorded. */
  get requests(): number {
    return this.#requests
  }

  /** The part of all keys that is sampled now. */
  get rate(): number {
    return this.#threshold / MODULUS
  }

  /** Notes a request. O(1) for a key that is not sampled, O(log maxSamples) for one that is. */
  record(key: K): void {
    this.#requests++
    const hash = this.#hashOf(key)
    if (hash >= this.#threshold) return
    const weight = MODULUS / this.#threshold
    this.#represented += weight
    const distance = this.#distances.use(key)
    if (distance >= 0) {
      this.#uses[bucketOf(Math.round(distance * weight) + 1)]! += weight
      return
    }
    this.#largest.push(hash, key)
    if (this.#distances.size > this.#maxSamples) this.#lower()
  }

  /**
   * The part of the requests that an LRU cache with room for `max` entries would have missed.
   *
   * @throws {CacheError} `ERR_CACHE_MAX` unless `max` is a number of at least 0.
   */
  missRatio(max: number): number {
    if (!(max >= 0)) {
      throw new CacheError('ERR_CACHE_MAX', `max: got ${show(max)}, allowed is a number from 0`)
    }
    if (this.#requests === 0 || max < 1) return 1
    const last = bucketOf(max)
    // All that the sample left out or has too much of counts as hits in the smallest cache.
    let hits = this.#requests - this.#represented
    for (let i = 0; i < last; i++) hits += this.#uses[i]!
    const below = roomOf(last - 1)
    hits += (this.#uses[last]! * (Math.floor(max) - below)) / (roomOf(last) - below)
    return Math.min(1, Math.max(0, 1 - hits / this.#requests))
  }

  /**
   * The curve to draw: points at growing sizes, from 1 to where more room would change nothing.
   *
   * @param perDoubling How many points each doubling of the size has, 1 to 64; default 4.
   */
  points(perDoubling = 4): MissRatioPoint[] {
    const most = Math.max(1, roomOf(this.#uses.findLastIndex((uses) => uses > 0)))
    const sizes = new Set<number>()
    for (let i = 0; ; i++) {
      const max = Math.min(most, Math.round(2 ** (i / perDoubling)))
      sizes.add(Math.max(1, max))
      if (max >= most) break
    }
    return Array.from(sizes, (max) => ({ max, missRatio: this.missRatio(max) }))
  }

  /** Takes out the keys with the largest hash, and samples only what is below from now on. */
  #lower(): void {
    this.#threshold = this.#largest.hash
    while (this.#largest.hash >= this.#threshold) this.#distances.forget(this.#largest.pop())
  }

  #hashOf(key: K): number {
    let hash: number
    if (typeof key === 'string') hash = hashString(key, this.#seed)
    else if (typeof key === 'number' && (key | 0) === key) hash = hashInteger(key, this.#seed)
    else hash = this.#others.hash(key)
    return hash & (MODULUS - 1)
  }
}

/**
 * The miss-ratio curve of recorded requests.
 *
 * @throws {CacheError} `ERR_CACHE_OPTION`
 * @example
 * missRatioCurve(['a', 'b', 'a', 'b']).missRatio(2) // 0.5
 */
export function missRatioCurve<K>(
  requests: Iterable<K>,
  options: MissRatioCurveOptions = {},
): MissRatioCurve<K> {
  const curve = new MissRatioCurve<K>(options)
  for (const key of requests) curve.record(key)
  return curve
}

/** The bucket of a size: one each below EXACT, STEPS a doubling above. */
function bucketOf(room: number): number {
  if (room < EXACT) return Math.floor(room)
  const doublings = Math.min(44, Math.floor(Math.log2(room / EXACT)))
  const step = Math.floor((room / (EXACT * 2 ** doublings)) * STEPS) - STEPS
  return EXACT + doublings * STEPS + Math.max(0, Math.min(STEPS - 1, step))
}

/** The largest size in a bucket. */
function roomOf(bucket: number): number {
  if (bucket < EXACT) return bucket
  const doublings = Math.floor((bucket - EXACT) / STEPS)
  const step = (bucket - EXACT) % STEPS
  return ((EXACT * 2 ** doublings) / STEPS) * (STEPS + step + 1) - 1
}

/** Keys by their hash, the largest first: a binary heap. */
class LargestFirst<K> {
  readonly #hashes: number[] = []
  readonly #keys: K[] = []

  /** The largest hash; -1 if there is none. */
  get hash(): number {
    return this.#hashes[0] ?? -1
  }

  push(hash: number, key: K): void {
    let i = this.#hashes.push(hash) - 1
    this.#keys.push(key)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#hashes[parent]! >= hash) break
      this.#move(parent, i)
      i = parent
    }
    this.#put(i, hash, key)
  }

  /** Takes out the key with the largest hash; there must be one. */
  pop(): K {
    const top = this.#keys[0] as K
    const hash = this.#hashes.pop()!
    const key = this.#keys.pop() as K
    const { length } = this.#hashes
    let i = 0
    while (length > 0) {
      let child = 2 * i + 1
      if (child >= length) break
      if (child + 1 < length && this.#hashes[child + 1]! > this.#hashes[child]!) child++
      if (this.#hashes[child]! <= hash) break
      this.#move(child, i)
      i = child
    }
    if (length > 0) this.#put(i, hash, key)
    return top
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#hashes[from]!, this.#keys[from] as K)
  }

  #put(i: number, hash: number, key: K): void {
    this.#hashes[i] = hash
    this.#keys[i] = key
  }
}
