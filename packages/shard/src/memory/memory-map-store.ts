// The map store in memory: the reference for the others, for simulation and tests. What it keeps
// outlives the handle: `connect` gives another router, or the same one after a crash, its own.

import type { JobLog } from '../job-log.ts'
import type { DecisionLog, MapStore, SagaLog } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { abortable, platformTimers, type Timers } from '../timers.ts'
import { EngineSteps, type StepOptions } from './engine-steps.ts'
import { type KeptDecisions, MemoryDecisionLog } from './memory-decision-log.ts'
import { type KeptJobs, MemoryJobLog } from './memory-job-log.ts'
import { MemorySagaLog, type SagaRecords } from './memory-saga-log.ts'

/**
 * Options of a {@link MemoryMapStore}. Its steps are `load`, `epoch`, `compareAndSet`, `decide`,
 * `find`, `unsettled`, `settle`, `begin`, `renew`, `takeToUndo`, `abandoned`, `end`, and those of
 * the job log as `jobs.create` and so on, each with `:before` and `:after`.
 */
export interface MemoryMapStoreOptions extends StepOptions {
  /** Wall clock in milliseconds, for leases and what is kept for a time. */
  readonly now?: (() => number) | undefined
  /** For the calls of `watch`; the platform's by default. */
  readonly timers?: Timers | undefined
  /** How long after a change those who watch are called, in milliseconds. Default 0. */
  readonly watchDelayMs?: number | undefined
}

/** A map as text, so that nobody holds a part of it. */
interface KeptMap {
  readonly epoch: number
  readonly json: string
}

interface MapState {
  map: KeptMap | undefined
  readonly onChange: Set<() => void>
  readonly decisions: KeptDecisions
  readonly sagas: SagaRecords
  readonly jobs: KeptJobs
}

/**
 * A map store in memory.
 *
 * @example
 * const store = new MemoryMapStore()
 * const map = await store.load()
 * // map → undefined
 */
export class MemoryMapStore implements MapStore {
  readonly decisions: DecisionLog
  readonly sagas: SagaLog
  readonly jobs: JobLog
  readonly #options: MemoryMapStoreOptions
  readonly #timers: Timers
  readonly #steps: EngineSteps
  readonly #stops = new Set<() => void>()
  #state: MapState
  #isClosed = false

  constructor(options: MemoryMapStoreOptions = {}) {
    this.#options = options
    this.#timers = options.timers ?? platformTimers
    this.#steps = new EngineSteps(undefined, options, () => this.#checkOpen())
    this.#state = {
      map: undefined,
      onChange: new Set(),
      decisions: { unsettled: new Map(), settled: new Map() },
      sagas: new Map(),
      jobs: new Map(),
    }
    const now = options.now ?? Date.now
    this.decisions = new MemoryDecisionLog(() => this.#state.decisions, this.#steps, now)
    this.sagas = new MemorySagaLog(() => this.#state.sagas, this.#steps, now)
    const jobs = () => this.#state.jobs
    const setMap = (expected: number, next: KeptMap) => this.#setMap(expected, next)
    this.jobs = new MemoryJobLog({ jobs, steps: this.#steps, now, setMap })
  }

  /** Another handle on what this one keeps, as another process has; options default to its own. */
  connect(options: MemoryMapStoreOptions = this.#options): MemoryMapStore {
    const other = new MemoryMapStore(options)
    other.#state = this.#state
    return other
  }

  load({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<ShardMapJson | undefined> {
    const loaded = this.#steps.run('load', () => {
      const { map } = this.#state
      return map === undefined ? undefined : (JSON.parse(map.json) as ShardMapJson)
    })
    return abortable(loaded, signal)
  }

  epoch({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<number | undefined> {
    return abortable(
      this.#steps.run('epoch', () => this.#state.map?.epoch),
      signal,
    )
  }

  compareAndSet(expected: number | undefined, next: ShardMapJson): Promise<boolean> {
    const kept = { epoch: next.epoch, json: JSON.stringify(next) }
    return this.#steps.run('compareAndSet', () => this.#setMap(expected, kept))
  }

  watch(onEpoch: (epoch: number) => void): () => void {
    this.#checkOpen()
    const { onChange } = this.#state
    let timer: unknown
    const call = () => {
      timer = undefined
      onEpoch(this.#state.map!.epoch)
    }
    const wake = () => {
      timer ??= this.#timers.setTimeout(call, this.#options.watchDelayMs ?? 0)
    }
    const stop = () => {
      onChange.delete(wake)
      this.#stops.delete(stop)
      if (timer !== undefined) this.#timers.clearTimeout(timer)
    }
    onChange.add(wake)
    this.#stops.add(stop)
    return stop
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const stop of [...this.#stops]) stop()
  }

  #setMap(expected: number | undefined, next: KeptMap): boolean {
    if (this.#state.map?.epoch !== expected) return false
    if (expected !== undefined && next.epoch <= expected) {
      throw new ShardError(
        'INVALID_MAP',
        `the next map has epoch ${next.epoch}; it must be above ${expected}, the one in force`,
      )
    }
    this.#state.map = next
    for (const wake of this.#state.onChange) wake()
    return true
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ShardError('CLOSED', 'this map store was closed')
  }
}
