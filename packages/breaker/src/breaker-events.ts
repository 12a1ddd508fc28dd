// What a breaker tells: to its own listeners, and to whoever subscribes to the process's
// diagnostics channels `ashlar:breaker:transition`, `…:reject` and `…:call`. A listener runs
// inside the change it hears of, and whatever it throws stays with it.

import { refuse, requireFunction } from './breaker-error.ts'
import type { Outcome } from './breaker-settings.ts'

/** Whether calls go through, and why not. */
export type BreakerState = 'closed' | 'open' | 'half-open' | 'isolated'

/** What changed a breaker's state. */
export type TransitionCause =
  | 'failures'
  | 'slow'
  | 'elapsed'
  | 'probes'
  | 'isolate'
  | 'release'
  | 'reset'
  | 'restore'
  | 'remote'
  | 'throttle'

/** A change of state. */
export interface BreakerTransition {
  readonly breaker: string
  readonly from: BreakerState
  readonly to: BreakerState
  /** Grows with every change of state. */
  readonly generation: number
  /** How long the breaker stays open from now; 0 unless `to` is 'open'. */
  readonly remainingMs: number
  /** How many times in a row it opened without a close. */
  readonly openings: number
  readonly cause: TransitionCause
}

/** A call that was refused. */
export interface BreakerReject {
  readonly breaker: string
  readonly state: BreakerState
  readonly retryAfterMs: number
}

/** A call that ended. */
export interface BreakerCall {
  readonly breaker: string
  readonly outcome: Outcome
  /** Whether it began in an earlier state, or lost its place, so that it counts for nothing. */
  readonly isLate: boolean
  /** NaN if nobody listened when it began. */
  readonly durationMs: number
}

/** What a listener or a `classify` threw. */
export interface BreakerFault {
  readonly breaker: string
  readonly error: unknown
}

/** The events by name. */
export interface BreakerEvents {
  transition: BreakerTransition
  reject: BreakerReject
  call: BreakerCall
  fault: BreakerFault
}

type Listener<E extends keyof BreakerEvents> = (event: BreakerEvents[E]) => void
type ListenersOf = { [E in keyof BreakerEvents]: readonly Listener<E>[] }

/** The listeners of one breaker; a breaker without any has no such object. */
export class Listeners {
  // Lists are replaced, never changed: a listener may come or go while one is being told.
  readonly #lists: ListenersOf = { transition: [], reject: [], call: [], fault: [] }

  has(event: keyof BreakerEvents): boolean {
    return this.#lists[event].length > 0
  }

  /** Adds a listener; what is returned takes away just this one. */
  add<E extends keyof BreakerEvents>(event: E, listener: Listener<E>): () => void {
    if (!Object.hasOwn(this.#lists, event)) {
      refuse('event', "'transition', 'reject', 'call' or 'fault'", event)
    }
    requireFunction('listener', listener)
    const lists: { [K in E]: readonly Listener<E>[] } = this.#lists
    // A wrapper of its own: the same function may listen twice and leave once.
    const own: Listener<E> = (value) => listener(value)
    lists[event] = [...lists[event], own]
    return () => {
      lists[event] = lists[event].filter((other) => other !== own)
    }
  }

  tell<E extends keyof BreakerEvents>(event: E, value: BreakerEvents[E]): void {
    const list: readonly Listener<E>[] = this.#lists[event]
    for (const listener of list) {
      try {
        listener(value)
      } catch (error) {
        if (event !== 'fault') this.tell('fault', { breaker: value.breaker, error })
      }
    }
  }
}

/** A diagnostics channel, as far as it matters here. */
interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/** Channels where nobody listens: a platform without any. */
const silent: Channel = { hasSubscribers: false, publish: () => {} }

interface Host {
  readonly process?: {
    getBuiltinModule?(id: string): { channel(name: string): Channel } | undefined
  }
}

const host = globalThis as Host
const builtin = host.process?.getBuiltinModule?.('node:diagnostics_channel')

/** The process's channels; Node itself reports what their subscribers throw. */
export const channels: Readonly<Record<'transition' | 'reject' | 'call', Channel>> = {
  transition: builtin?.channel('ashlar:breaker:transition') ?? silent,
  reject: builtin?.channel('ashlar:breaker:reject') ?? silent,
  call: builtin?.channel('ashlar:breaker:call') ?? silent,
}
