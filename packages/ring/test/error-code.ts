// What an attempt is refused with: the code that a program would switch on.

import { RingError } from '@ashlar/ring'

/** The code of the RingError an attempt throws, or undefined if it goes well. */
export function errorCode(attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (error instanceof RingError) return error.code
    throw error
  }
}
