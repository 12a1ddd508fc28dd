// What every member of this package has in common, and all that a caller needs to depend on.
// Structural on purpose: a part of your own, or another library's, fits as well.

/** Anything that says who owns a key. */
export interface Placement<N> {
  /** The owner of the key, or `undefined` while there is nobody to own it. */
  get(key: string): N | undefined
}
