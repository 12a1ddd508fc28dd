// Tells of new epochs in a file that other processes write too: looks at SQLite's counter of
// foreign commits (`pragma data_version`, which reads one page of shared memory) every so often,
// and reads the epoch only when that has moved. Timers do not keep the process alive.

import type { Timers } from '../timers.ts'

interface Watcher {
  readonly onEpoch: (epoch: number) => void
  known: number | undefined
}

/** Those who wait for the next epoch. */
export class EpochWatch {
  readonly #source: { version(): number; epoch(): number | undefined }
  readonly #timers: Timers
  readonly #pollMs: number
  readonly #watchers = new Set<Watcher>()
  #version = Number.NaN
  #timer: unknown

  constructor(
    source: { version(): number; epoch(): number | undefined },
    options: { readonly timers: Timers; readonly pollMs: number },
  ) {
    this.#source = source
    this.#timers = options.timers
    this.#pollMs = options.pollMs
  }

  /** Calls back with each later epoch that is seen; returns what stops it. */
  add(onEpoch: (epoch: number) => void): () => void {
    const watcher: Watcher = { onEpoch, known: this.#source.epoch() }
    this.#watchers.add(watcher)
    if (this.#timer === undefined) this.#look(this.#pollMs)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.stop()
    }
  }

  /** Something changed here: looks at once. */
  wake(): void {
    if (this.#watchers.size === 0) return
    this.stop()
    this.#version = Number.NaN
    this.#look(0)
  }

  stop(): void {
    if (this.#timer !== undefined) this.#timers.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look(afterMs: number): void {
    const timer = this.#timers.setTimeout(() => {
      this.#look(this.#pollMs)
      this.#tell()
    }, afterMs)
    if (hasUnref(timer)) timer.unref()
    this.#timer = timer
  }

  #tell(): void {
    const epoch = this.#read()
    if (epoch === undefined) return
    for (const watcher of [...this.#watchers]) {
      if (watcher.known === epoch) continue
      watcher.known = epoch
      watcher.onEpoch(epoch)
    }
  }

  /** The epoch if it may have changed. A file that cannot be read now is looked at next time. */
  #read(): number | undefined {
    try {
      const version = this.#source.version()
      if (version === this.#version) return undefined
      const epoch = this.#source.epoch()
      this.#version = version
      return epoch
    } catch {
      return undefined
    }
  }
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer
}
