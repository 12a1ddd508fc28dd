// The bucket index: for each of 2^k equal ranges of the ring, the index of the first point at or
// after its start, as the sum of two numbers, so that a change touches little of it:
//
//   start of bucket b  =  bases[b >>> 8] + offsets[b]
//
//   points   [ 0x0a | 0x1f | 0x20 | 0x93 ]
//   starts   [ 0 | 2 | 3 | 3 | … | 4 ]        16 buckets, of 16 places of 256
//
// There is half a point to one point to a bucket, so a search is two loads and hardly a step.
// A point more changes all bases after it (a thousandth of the buckets) and the offsets after it
// in its block. Plain starts took a third of the time of a change to a ring of 1,000 nodes.

const BLOCK_BITS = 8
const BLOCK = 1 << BLOCK_BITS
const MAX_NARROW = 0xffff

/** How many buckets suit so many points, as a power of two (at least 2). */
export function bucketCountFor(points: number): number {
  let buckets = 2
  while (buckets < points) buckets *= 2
  return buckets
}

/** Where each bucket begins among the first `count` of the sorted points. */
export class BucketIndex {
  readonly buckets: number
  readonly shift: number
  readonly #bases: Uint32Array
  /** 32 bits only if the hash clusters so much that a block has more than 65,535 points. */
  readonly #offsets: Uint16Array | Uint32Array

  constructor(points: Uint32Array, count: number, buckets: number) {
    this.buckets = buckets
    this.shift = Math.clz32(buckets) + 1
    const blocks = Math.ceil(buckets / BLOCK)
    const bases = new Uint32Array(blocks + 1).fill(count)
    for (let i = count - 1; i >= 0; i--) bases[(points[i]! >>> this.shift) >>> BLOCK_BITS] = i
    for (let block = blocks - 1; block >= 0; block--) {
      const isEmpty = bases[block] === count
      if (isEmpty) bases[block] = bases[block + 1]!
    }
    this.#bases = bases
    const isNarrow = bases.every((base, k) => base - (bases[k - 1] ?? 0) <= MAX_NARROW)
    this.#offsets = isNarrow ? new Uint16Array(buckets) : new Uint32Array(buckets)
    let i = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      while (i < count && points[i]! >>> this.shift < bucket) i++
      this.#offsets[bucket] = i - bases[bucket >>> BLOCK_BITS]!
    }
  }

  /** The index of the first point in this bucket or after it. */
  startOf(bucket: number): number {
    return this.#bases[bucket >>> BLOCK_BITS]! + this.#offsets[bucket]!
  }

  /** The index of the first point after this bucket. */
  endOf(bucket: number): number {
    const next = bucket + 1
    return next < this.buckets ? this.startOf(next) : this.#bases[this.#bases.length - 1]!
  }

  /**
   * Keeps the index right after sorted `points` came (`step` 1) or went (`step` -1). Says false if
   * it has no room for them: then it is of no use any more.
   */
  patch(points: Uint32Array, step: 1 | -1): boolean {
    const bases = this.#bases
    const offsets = this.#offsets
    let block = 0
    for (let k = 0; k < points.length; k++) {
      const bucket = points[k]! >>> this.shift
      const ofPoint = bucket >>> BLOCK_BITS
      for (; block < ofPoint; block++) bases[block + 1]! += step * k
      const end = Math.min((ofPoint + 1) << BLOCK_BITS, this.buckets)
      for (let after = bucket + 1; after < end; after++) offsets[after]! += step
    }
    for (; block < bases.length - 1; block++) bases[block + 1]! += step * points.length
    return offsets instanceof Uint32Array || step < 0 || this.#fits(points)
  }

  #fits(points: Uint32Array): boolean {
    return points.every((point) => {
      const block = (point >>> this.shift) >>> BLOCK_BITS
      return this.#bases[block + 1]! - this.#bases[block]! <= MAX_NARROW
    })
  }
}
