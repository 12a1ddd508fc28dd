// Where a simulator takes hold of a memory engine or map store: before and after every step it
// may wait, and a step may fail as if nobody had answered, before or after it took effect.

import { ShardError } from '../shard-error.ts'

/** What a simulator may give. Labels are `open:before`, `open:after`, `commit:before` and so on. */
export interface StepOptions {
  /** Awaited before and after every step; the shard is undefined for a map store. */
  readonly delay?: ((label: string, shard: string | undefined) => Promise<void>) | undefined
  /** Whether the step is to fail here with `UNREACHABLE`. */
  readonly buggify?: ((label: string) => boolean) | undefined
}

/** The steps taken on one shard, or on a map store. */
export class EngineSteps {
  readonly shard: string | undefined
  readonly #options: StepOptions
  readonly #checkAlive: () => void

  /** `checkAlive` throws while it cannot be reached. */
  constructor(shard: string | undefined, options: StepOptions, checkAlive: () => void) {
    this.shard = shard
    this.#options = options
    this.#checkAlive = checkAlive
  }

  /** Takes a step; if it rejects at `:after`, it did take effect. */
  async run<T>(label: string, effect: () => T | Promise<T>): Promise<T> {
    await this.#pass(`${label}:before`)
    const result = await effect()
    await this.#pass(`${label}:after`)
    return result
  }

  /** Waits as before a step, which cannot fail. */
  async pause(label: string): Promise<void> {
    await this.#options.delay?.(label, this.shard)
  }

  async #pass(label: string): Promise<void> {
    await this.pause(label)
    this.#checkAlive()
    if (this.#options.buggify?.(label)) throw unreachable(this.shard, label)
  }
}

/** The error of a shard, or of a map store, that does not answer. */
export function unreachable(shard: string | undefined, at: string): ShardError {
  const who = shard === undefined ? 'the map store' : `shard ${shard}`
  return new ShardError('UNREACHABLE', `${who} does not answer (${at}); try again`, { shard })
}
