import { expect } from 'vitest'
import { ClockError, type ClockErrorCode } from '../src/index.ts'

/** The code of the error that `run` throws, whose message must say something. */
export function codeOf(run: () => unknown): ClockErrorCode | 'nothing was thrown' {
  try {
    run()
  } catch (error) {
    if (!(error instanceof ClockError)) throw error
    expect(error.name).toBe('ClockError')
    expect(error.message.length).toBeGreaterThan(20)
    return error.code
  }
  return 'nothing was thrown'
}
