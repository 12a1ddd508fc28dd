// A machine's clocks. The oscillator gives local microseconds, at a rate that drift changes; the
// wall clock is the oscillator plus an offset that jumps; the monotonic clock is the oscillator
// since the process began, so it never goes back and starts anew after a restart.
//
//   local(t) = anchorLocal + (t − anchor) · (1 + ppm / 10^6)      all integers, rounded down

/** The wall clock and the monotonic clock of one machine. */
export class MachineClock {
  #anchor = 0
  #anchorLocal = 0
  #ppm = 0
  #offset: number
  #processStart = 0
  /** False once the oscillator drifted: timers must then look at the local clock. */
  isSteady = true

  /** @param epochMs what the wall clock says when the run begins */
  constructor(epochMs: number) {
    this.#offset = epochMs * 1000
  }

  /** Microseconds of the oscillator at virtual time `t`. */
  local(t: number): number {
    const elapsed = t - this.#anchor
    return this.#ppm === 0
      ? this.#anchorLocal + elapsed
      : this.#anchorLocal + elapsed + Math.floor((elapsed * this.#ppm) / 1e6)
  }

  /** Whole milliseconds of the wall clock. */
  wallMs(t: number): number {
    return Math.floor((this.local(t) + this.#offset) / 1000)
  }

  /** Milliseconds since the process began. */
  monotonicMs(t: number): number {
    return (this.local(t) - this.#processStart) / 1000
  }

  /** Virtual microseconds in which `local` microseconds pass, rounded up. */
  spanOf(local: number): number {
    return this.#ppm === 0 ? local : Math.ceil((local * 1e6) / (1e6 + this.#ppm))
  }

  /** A new process begins: its monotonic clock starts at 0. */
  startProcess(t: number): void {
    this.#processStart = this.local(t)
  }

  /** The wall clock is set `micros` ahead (or back, if negative). */
  jump(micros: number): void {
    this.#offset += micros
  }

  /** From now on the oscillator runs fast by `ppm` millionths (slow, if negative). */
  drift(t: number, ppm: number): void {
    this.#anchorLocal = this.local(t)
    this.#anchor = t
    this.#ppm = ppm
    if (ppm !== 0) this.isSteady = false
  }
}
