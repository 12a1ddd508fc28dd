export { BreakerError, type BreakerErrorCode } from './breaker-error.ts'
export type {
  BreakerCall,
  BreakerEvents,
  BreakerFault,
  BreakerReject,
  BreakerState,
  BreakerTransition,
  TransitionCause,
} from './breaker-events.ts'
export { BreakerOpenError } from './breaker-open-error.ts'
export type {
  BreakerOptions,
  Classify,
  HalfOpenOptions,
  OpenOptions,
  Outcome,
  Settled,
} from './breaker-settings.ts'
export { BreakerTimeoutError } from './breaker-timeout-error.ts'
export type { Permit } from './call.ts'
export type { BucketSnapshot, Tally, WindowSnapshot } from './call-memory.ts'
export { type BreakerCounts, CircuitBreaker, type RemoteTransition } from './circuit-breaker.ts'
export { KeyedBreakers, type KeyedOptions } from './keyed-breakers.ts'
export type { CallContext, RunOptions } from './limited-call.ts'
export type { BreakerSnapshot } from './snapshot.ts'
export type { Timers } from './timers.ts'
export {
  consecutive,
  countWindow,
  type FailureRateOptions,
  failureRate,
  type Trip,
  timeWindow,
  type WindowSize,
} from './trip.ts'
