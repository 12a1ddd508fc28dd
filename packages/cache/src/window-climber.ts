// Finds how large a window hits most by hill climbing (Einziger, Eytan, Friedman and Manes,
// Middleware 2018): after every sample of requests the window grows or shrinks by a step, in the
// same direction as long as that helps. Steps decay; a jump of the hit ratio makes them large
// again.

const FIRST_STEP = 0.0625
const DECAY = 0.95
const RESTART = 0.05
const LARGEST = 0.8

/** Which part of a cache its window should be. */
export class WindowClimber {
  /** The part, 0 to 0.8. */
  part: number
  #step: number = FIRST_STEP
  #hitRatio = 0

  constructor(part: number) {
    this.part = part
  }

  /** Takes one more step, knowing the hit ratio of the sample since the last. */
  climb(hitRatio: number): void {
    const change = hitRatio - this.#hitRatio
    this.#hitRatio = hitRatio
    const step = change >= 0 ? this.#step : -this.#step
    this.#step = Math.abs(change) >= RESTART ? Math.sign(step) * FIRST_STEP : step * DECAY
    this.part = Math.min(LARGEST, Math.max(0, this.part + step))
  }
}
