// What became of a promise, without waiting for it.

/** The state of a promise, and how often it settled. */
export interface Outcome<T> {
  state: 'pending' | 'resolved' | 'rejected'
  value?: T
  error?: unknown
  settled: number
}

/** Watches a promise; its rejection counts as handled. */
export function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { state: 'pending', settled: 0 }
  promise.then(
    (value) => Object.assign(outcome, { state: 'resolved', value, settled: outcome.settled + 1 }),
    (error) => Object.assign(outcome, { state: 'rejected', error, settled: outcome.settled + 1 }),
  )
  return outcome
}

/** The code of what a function throws. */
export function codeThrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return (error as { readonly code?: unknown }).code
  }
  return undefined
}
