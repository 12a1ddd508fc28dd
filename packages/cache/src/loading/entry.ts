// What a LoadingCache keeps of a key: a value with the times up to which it may be served, all of
// them milliseconds of `monotonic`, hence of this process only.
//
//   bornAtMs ── calm ── early refresh by chance ── freshUntilMs ── stale ── staleUntilMs
//               calmUntilMs                          only if a load fails ─ errorUntilMs
//
// Invariant: an entry is never changed after it was stored, only replaced.

/** A value in the cache underneath, as plain data. */
export interface Entry<V> {
  /** What was loaded or set; undefined if nothing but a failure is remembered. */
  readonly value: V | undefined
  /** How many invalidations had been made when its load began, or when it was set. */
  readonly version: number
  /** Up to here a read has nothing to do but to answer: whole milliseconds of 31 bits. */
  readonly calmUntilMs: number
  /** The promise of the value, made once for all hits; undefined where each makes its own. */
  readonly answer: Promise<V> | undefined
  /** When its load began, or when it was set: the value was current at some time after. */
  readonly bornAtMs: number
  /** Up to here the value is answered. */
  readonly freshUntilMs: number
  /** Up to here it is answered while a load runs in the background. */
  readonly staleUntilMs: number
  /** Up to here it is answered if a load has failed. */
  readonly errorUntilMs: number
  /** How long its load took; 0 if it was set. */
  readonly loadMs: number
  readonly tags: readonly string[]
  /** The failure of a later load, or of the first. */
  readonly failure: LoadFailure | undefined
}

/** A failure that is remembered instead of loading again. */
interface LoadFailure {
  readonly error: unknown
  readonly untilMs: number
}
