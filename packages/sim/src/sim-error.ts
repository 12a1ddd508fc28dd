// The error of wrong arguments: what a caller must mend in the code that calls this package.
// What a run finds in the code under test is a SimulationFailure, never one of these.
// `code` is stable; the message names the argument, what was given and what is allowed.

/** What a {@link SimError} can be about. */
export type SimErrorCode =
  | 'ERR_SIM_OPTION'
  | 'ERR_SIM_ID'
  | 'ERR_SIM_UNKNOWN_ID'
  | 'ERR_SIM_DELAY'
  | 'ERR_SIM_FAULT'
  | 'ERR_SIM_MESSAGE'
  | 'ERR_SIM_DISK'
  | 'ERR_SIM_HISTORY'
  | 'ERR_SIM_SCENARIO'
  | 'ERR_SIM_DRAIN'
  | 'ERR_SIM_NESTED'
  | 'ERR_SIM_CORPUS'

/**
 * A wrong argument given to a function of this package.
 *
 * @example
 * try {
 *   await simulate({ seed: -1 }, world)
 * } catch (error) {
 *   if (error instanceof SimError && error.code === 'ERR_SIM_OPTION') console.log('mend it')
 * }
 */
export class SimError extends Error {
  override readonly name: string = 'SimError'
  /** Stable name of what went wrong. */
  readonly code: SimErrorCode

  constructor(code: SimErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A value as a message shows it: short, and never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value) ?? Object.prototype.toString.call(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

/** Whole microseconds of a delay in milliseconds. */
export function toMicros(ms: unknown, what: string): number {
  if (typeof ms === 'number' && ms >= 0 && ms <= MAX_DELAY_MS) return Math.round(ms * 1000)
  throw new SimError(
    'ERR_SIM_DELAY',
    `${what} must be a number of milliseconds from 0 to ${MAX_DELAY_MS}, got ${show(ms)}`,
  )
}

/** About 31 years: microseconds stay exact integers far beyond it. */
const MAX_DELAY_MS = 1e12
