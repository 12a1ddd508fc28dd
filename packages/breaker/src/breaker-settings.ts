// The options of a breaker, checked and with their defaults in place. One object of settings may
// serve any number of breakers: a keyed breaker must not pay for its own copy.

import {
  refuse,
  requireDuration,
  requireFunction,
  requireInteger,
  requireNumber,
  requireRate,
} from './breaker-error.ts'
import { platformMonotonic } from './platform-monotonic.ts'
import { platformTimers, type Timers } from './timers.ts'
import { failureRate, isSameTrip, requireTrip, type Trip } from './trip.ts'

/** What a call counts as: `ignore` counts as if it had not been made. */
export type Outcome = 'ok' | 'fail' | 'ignore'

/** How a call settled, as `Promise.allSettled` says it. */
export type Settled<T = unknown> =
  | { readonly status: 'fulfilled'; readonly value: T }
  | { readonly status: 'rejected'; readonly reason: unknown }

/** Says what a settled call counts as. */
export type Classify = (settled: Settled) => Outcome

/** How long a breaker stays open; all times in milliseconds. */
export interface OpenOptions {
  /** The first time, and again after each close; default 5,000. */
  readonly initialMs?: number
  /** The longest time; default 60,000, or `initialMs` if that is more. */
  readonly maxMs?: number
  /** How many times longer each further opening is, while none of the probes helped; default 2. */
  readonly factor?: number
  /** The share of each time that chance may take away, 0 to 1; default 0.2. */
  readonly jitter?: number
}

/** How a breaker finds out whether it may close. */
export interface HalfOpenOptions {
  /** How many calls are admitted and judged, 1 to 1,000; default 3. */
  readonly probes?: number
  /** The share of failed probes from which on it opens again; default that of `trip`. */
  readonly rate?: number
  /** After so many milliseconds a probe that hangs gives up its place; default 30,000. */
  readonly probeTimeoutMs?: number
}

/** What a {@link CircuitBreaker} takes. */
export interface BreakerOptions {
  /** For errors, events and metrics; default ''. */
  readonly name?: string
  /** When it opens; default {@link failureRate}: half of at least 20 calls in 10 seconds. */
  readonly trip?: Trip
  readonly open?: OpenOptions
  readonly halfOpen?: HalfOpenOptions
  /** Default: what fulfils is ok, what rejects fails; that also holds if it throws. */
  readonly classify?: Classify
  /** Whether a BreakerOpenError has a stack, which takes longer than the rest; default false. */
  readonly openErrorStack?: boolean
  /** Elapsed milliseconds that never go back; default `performance.now`. */
  readonly monotonic?: () => number
  /** Numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number
  /** For `timeoutMs` alone; default the platform's. */
  readonly timers?: Timers
}

/** The options in effect. */
export interface Settings {
  readonly trip: Trip
  readonly initialMs: number
  readonly maxMs: number
  readonly factor: number
  readonly jitter: number
  readonly probes: number
  /** Undefined where one failed probe opens at once. */
  readonly probeRate: number | undefined
  readonly probeTimeoutMs: number
  readonly classify: Classify | undefined
  readonly openErrorStack: boolean
  readonly monotonic: () => number
  readonly random: () => number
  readonly timers: Timers
}

/** Options that were checked before, for breakers that are set up alike. */
export const CHECKED: unique symbol = Symbol('checked')

/** Checks the options. */
export function settle(options: BreakerOptions & { readonly [CHECKED]?: Settings }): Settings {
  if (typeof options !== 'object' || options === null) refuse('options', 'an object', options)
  if (options[CHECKED] !== undefined) return options[CHECKED]
  const { open = {}, halfOpen = {} } = options
  const trip = requireTrip(options.trip ?? DEFAULT_TRIP)
  const initialMs = requireDuration('open.initialMs', open.initialMs ?? 5_000)
  const settings: Settings = {
    trip,
    initialMs,
    maxMs: requireNumber('open.maxMs', open.maxMs ?? Math.max(60_000, initialMs), initialMs),
    factor: requireNumber('open.factor', open.factor ?? 2, 1),
    jitter: requireNumber('open.jitter', open.jitter ?? 0.2, 0, 1),
    probes: requireInteger('halfOpen.probes', halfOpen.probes ?? 3, 1, 1_000),
    probeRate: probeRateOf(halfOpen.rate, trip),
    probeTimeoutMs: requireDuration('halfOpen.probeTimeoutMs', halfOpen.probeTimeoutMs ?? 30_000),
    classify: options.classify && requireFunction('classify', options.classify),
    openErrorStack: options.openErrorStack ?? false,
    monotonic: requireFunction('monotonic', options.monotonic ?? platform.monotonic),
    random: requireFunction('random', options.random ?? Math.random),
    timers: options.timers ?? platformTimers,
  }
  const reading = settings.monotonic()
  if (!Number.isFinite(reading)) {
    refuse('monotonic', 'a function that returns a finite number of milliseconds', reading)
  }
  return settings
}

/** The name in the options. */
export function nameOf(options: BreakerOptions): string {
  const { name = '' } = options
  return typeof name === 'string' ? name : refuse('name', 'a string', name)
}

/** `known` if it says the same, so that breakers set up alike share one object. */
export function shareSettings(settings: Settings, known: Settings | undefined): Settings {
  if (known === undefined) return settings
  const keys = Object.keys(settings) as (keyof Settings)[]
  const isSame = keys.every((key) =>
    key === 'trip' ? isSameTrip(settings.trip, known.trip) : settings[key] === known[key],
  )
  return isSame ? known : settings
}

/** The default of the options that parts of this package have in common. */
export const platform: Pick<Settings, 'monotonic'> = {
  get monotonic() {
    return platformMonotonic()
  },
}

const DEFAULT_TRIP = failureRate()

function probeRateOf(rate: number | undefined, trip: Trip): number | undefined {
  if (rate !== undefined) return requireRate('halfOpen.rate', rate)
  return trip.window === undefined ? undefined : trip.rate
}
