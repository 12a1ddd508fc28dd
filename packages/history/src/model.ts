// What an object promises when operations come one at a time. A model is all that the
// linearizability checker knows of an object; write your own for what is not built in.

import type { Operation } from './operation.ts'

/**
 * A sequential object. States are immutable: `step` returns a new one, or the very same one when
 * the operation changes nothing.
 *
 * @example
 * // A register that only grows.
 * const maximum = {
 *   name: 'maximum',
 *   operations: ['write', 'read'],
 *   init: () => 0,
 *   step: (state, { f, argument, outcome, result }) => {
 *     if (f === 'write') return Math.max(state, argument)
 *     return outcome !== 'ok' || result === state ? state : undefined
 *   },
 *   key: (state) => state,
 *   isRead: ({ f }) => f === 'read',
 *   ignoresProcess: true,
 * }
 */
export interface Model<S> {
  readonly name: string
  /** The `f` of the operations it knows; any other is refused. */
  readonly operations: readonly string[]
  /** The state before the first operation. */
  init(): S
  /**
   * The state after `operation`, or undefined where it could not have had this result. Only an
   * operation with outcome `ok` has a result; of any other it is unknown and must be let pass.
   */
  step(state: S, operation: Operation): S | undefined
  /** Equal for equal states, different for different ones. */
  key(state: S): string | number
  /**
   * Whether an operation that ended in `ok` with this result never changes any state in which it
   * is legal. The search takes such an operation as soon as it is legal, and is much faster so.
   */
  isRead?(operation: Operation): boolean
  /**
   * True where `step` never looks at the process: then two operations of unknown outcome with the
   * same `f` and argument are the same to the search, whoever began them.
   */
  readonly ignoresProcess?: boolean
  /**
   * Whether an operation that is illegal in this state stays so whatever comes before it, as a
   * read of a count that is already passed. Ends a search early.
   */
  isTooLate?(state: S, operation: Operation): boolean
  /**
   * A hint: of operations that could be next the one with the lowest rank is tried first. Without
   * it, the one that completed first.
   */
  rank?(operation: Operation): number
  /** What is wrong with an operation's argument or result, as in `argument must be a number`. */
  complaint?(operation: Operation): string | undefined
  /**
   * An equivalent model for exactly these operations, which may refuse a step that the model
   * allows if what is left could never be completed after it. A way to cut a search short.
   */
  specialize?(operations: readonly Operation[]): Model<S>
  /**
   * Small sets of operations that look as if they contradict each other, if any meet the eye. They
   * are looked into before the search, and believed only if a search of them agrees.
   */
  suspects?(operations: readonly Operation[]): Iterable<readonly Operation[]>
}
