// The half-open state: at most `probes` calls are admitted, and their outcomes decide. A place is
// taken by a call under way or by an outcome; an ignored outcome gives its place back, and so does
// a call that hangs for longer than `probeTimeoutMs`, whose result then counts for nothing.
//
// Invariant: outcomes + calls under way ≤ probes. Calls began in the order of `#running`, so those
// that hang are at its front.

import type { Settings } from './breaker-settings.ts'
import { FAILED, reaches, SLOW, type Tally } from './call-memory.ts'

/** A call under way that has a place. */
export interface Probe {
  readonly startedMs: number
}

/** The probes of one half-open period. */
export class Probation implements Tally {
  calls = 0
  failures = 0
  slowCalls = 0
  #running: Probe[] = []

  /** Whether there is a place left now. */
  hasPlace(settings: Settings, nowMs: number): boolean {
    const { probes, probeTimeoutMs } = settings
    if (this.calls + this.#running.length < probes) return true
    const held = this.#running.filter(({ startedMs }) => nowMs - startedMs < probeTimeoutMs)
    this.#running = held
    return this.calls + held.length < probes
  }

  admit(probe: Probe): void {
    this.#running.push(probe)
  }

  /** Ends a probe's call; false if it has lost its place. */
  leave(probe: Probe, settings: Settings, nowMs: number): boolean {
    const at = this.#running.indexOf(probe)
    if (at < 0) return false
    this.#running.splice(at, 1)
    return nowMs - probe.startedMs < settings.probeTimeoutMs
  }

  /** Counts an outcome. */
  record(bits: number): void {
    this.calls++
    this.failures += bits & FAILED
    this.slowCalls += (bits & SLOW) >> 1
  }

  /** What the outcomes say; undefined while too few are in. */
  verdict({ probes, probeRate, trip }: Settings): 'close' | 'reopen' | undefined {
    if (probeRate === undefined) {
      if (this.failures > 0) return 'reopen'
      return this.calls < probes ? undefined : 'close'
    }
    if (this.calls < probes) return undefined
    const isBad =
      reaches(this.failures, this.calls, probeRate) ||
      reaches(this.slowCalls, this.calls, trip.slowRate)
    return isBad ? 'reopen' : 'close'
  }
}
