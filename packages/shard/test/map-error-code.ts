// What a call is refused with.

import { ShardError } from '../src/shard-error.ts'

/** The error that a call throws; fails if it throws none of ours. */
export function refusal(call: () => unknown): ShardError {
  try {
    call()
  } catch (error) {
    if (error instanceof ShardError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** The code of the error that a call throws. */
export function code(call: () => unknown): string {
  return refusal(call).code
}
