// The IdError that a call throws, for tests that look at its code and waitMs.

import { IdError } from '../src/index.ts'

/** What the call throws, which must be an IdError. */
export function idErrorOf(call: () => unknown): IdError {
  try {
    call()
  } catch (error) {
    if (error instanceof IdError) return error
    throw error
  }
  throw new Error('expected an IdError, but nothing was thrown')
}

/** What the promise rejects with, which must be an IdError. */
export async function idRejectionOf(promise: Promise<unknown>): Promise<IdError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome instanceof IdError) return outcome
  throw outcome ?? new Error('expected an IdError, but nothing was thrown')
}
