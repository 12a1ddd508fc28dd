// The bucket index: for each of 2^k equal ranges of the ring, the index of the first point at or
// after its start, and the number of points as a last entry:
//
//   points   [ 0x0a | 0x1f | 0x20 | 0x93 ]
//   buckets  [ 0 | 2 | 3 | 3 | … | 4 ]        one of 16, shift 4 of 8 bits
//
// There is half a point to one point to a bucket, so a search is two loads and hardly a step; with
// four times as many points to a bucket a search takes 3 ns more.

/** How many buckets suit so many points, as a power of two (at least 2). */
export function bucketCountFor(points: number): number {
  let buckets = 2
  while (buckets < points) buckets *= 2
  return buckets
}

/** The index of the first `count` of the sorted points, with `buckets` buckets. */
export function buildBuckets(points: Uint32Array, count: number, buckets: number): Uint32Array {
  const starts = new Uint32Array(buckets + 1)
  const shift = Math.clz32(buckets) + 1
  let bucket = 0
  for (let i = 0; i < count; i++) {
    const last = points[i]! >>> shift
    while (bucket <= last) starts[bucket++] = i
  }
  return starts.fill(count, bucket)
}

/** Keeps the index right after sorted `points` came (`step` 1) or went (`step` -1). */
export function patchBuckets(starts: Uint32Array, points: Uint32Array, step: 1 | -1): void {
  const shift = Math.clz32(starts.length - 1) + 1
  let by = 0
  for (let k = 0; k < points.length; k++) {
    by += step
    const after = (points[k]! >>> shift) + 1
    const end = k + 1 < points.length ? (points[k + 1]! >>> shift) + 1 : starts.length
    for (let bucket = after; bucket < end; bucket++) starts[bucket]! += by
  }
}
