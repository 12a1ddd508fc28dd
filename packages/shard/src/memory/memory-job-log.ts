// Jobs on the fleet, in memory: one at a time, held by leases on the store's clock. The tokens of a
// job rise with every taking, and what does not carry the last one writes nothing.

import type { JobLog, JobRecord, JobSave } from '../job-log.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import type { EngineSteps } from './engine-steps.ts'

/** A job as it is kept. */
export interface KeptJob extends Omit<JobRecord, 'leaseLeftMs'> {
  readonly leaseUntil: number
}

/** Jobs by id, oldest first. */
export type KeptJobs = Map<string, KeptJob>

/** What a job log needs of its store. */
export interface JobLogSetting {
  readonly jobs: () => KeptJobs
  readonly steps: EngineSteps
  readonly now: () => number
  /** Puts a map in force, if the one in force has that epoch. */
  readonly setMap: (expected: number, next: { epoch: number; json: string }) => boolean
}

const DEFAULT_LIST = 20

/** The job log of a {@link MemoryMapStore}. */
export class MemoryJobLog implements JobLog {
  readonly #setting: JobLogSetting

  constructor(setting: JobLogSetting) {
    this.#setting = setting
  }

  /** @throws {ShardError} `INVALID_OPTION` if a job of that id has ended. */
  create(job: { id: string; kind: string; body: string }): Promise<JobRecord | undefined> {
    const { id, kind, body } = job
    return this.#step('create', (jobs) => {
      const current = this.#current()
      if (current !== undefined) return this.#record(current)
      if (jobs.has(id)) {
        throw new ShardError('INVALID_OPTION', `there was a job ${id} before; give it another id`)
      }
      const unheld = { wish: undefined, wishes: 0, token: 0, worker: undefined, leaseUntil: 0 }
      jobs.set(id, { id, kind, body, ...unheld, isEnded: false })
      return undefined
    })
  }

  find(id: string): Promise<JobRecord | undefined> {
    return this.#step('find', (jobs) => {
      const found = jobs.get(id)
      return found === undefined ? undefined : this.#record(found)
    })
  }

  current(): Promise<JobRecord | undefined> {
    return this.#step('current', () => {
      const current = this.#current()
      return current === undefined ? undefined : this.#record(current)
    })
  }

  list(limit: number = DEFAULT_LIST): Promise<readonly JobRecord[]> {
    return this.#step('list', (jobs) =>
      [...jobs.values()]
        .reverse()
        .slice(0, limit)
        .map((job) => this.#record(job)),
    )
  }

  take(
    id: string,
    worker: string,
    leaseMs: number,
    { force = false }: { readonly force?: boolean | undefined } = {},
  ): Promise<number | undefined> {
    return this.#step('take', (jobs) => {
      const job = jobs.get(id)
      const now = this.#setting.now()
      if (job === undefined || job.isEnded || (job.leaseUntil > now && !force)) return undefined
      const token = job.token + 1
      jobs.set(id, { ...job, worker, token, leaseUntil: now + leaseMs })
      return token
    })
  }

  renew(id: string, token: number, leaseMs: number): Promise<boolean> {
    return this.#step('renew', () => this.#lease(id, token, this.#setting.now() + leaseMs))
  }

  drop(id: string, token: number): Promise<void> {
    return this.#step('drop', () => {
      this.#lease(id, token, 0)
    })
  }

  /** @throws {ShardError} `INVALID_MAP` if the epoch of the next map is not above `expected`. */
  save(
    id: string,
    token: number,
    body: string,
    options: {
      readonly map?: { readonly expected: number; readonly next: ShardMapJson } | undefined
      readonly end?: boolean | undefined
    } = {},
  ): Promise<JobSave> {
    const { map, end = false } = options
    const next = map && { epoch: map.next.epoch, json: JSON.stringify(map.next) }
    return this.#step('save', (jobs) => {
      const job = jobs.get(id)
      if (job?.token !== token) return 'fenced'
      if (map && next && !this.#setting.setMap(map.expected, next)) return 'map-changed'
      const isEnded = job.isEnded || end
      jobs.set(id, { ...job, body, isEnded, leaseUntil: isEnded ? 0 : job.leaseUntil })
      return 'saved'
    })
  }

  wish(id: string, wish: string): Promise<boolean> {
    return this.#step('wish', (jobs) => {
      const job = jobs.get(id)
      if (job === undefined || job.isEnded) return false
      jobs.set(id, { ...job, wish, wishes: job.wishes + 1 })
      return true
    })
  }

  #step<T>(label: string, effect: (jobs: KeptJobs) => T): Promise<T> {
    return this.#setting.steps.run(`jobs.${label}`, () => effect(this.#setting.jobs()))
  }

  #current(): KeptJob | undefined {
    return [...this.#setting.jobs().values()].find((job) => !job.isEnded)
  }

  #lease(id: string, token: number, leaseUntil: number): boolean {
    const job = this.#setting.jobs().get(id)
    if (job?.token !== token || job.isEnded) return false
    this.#setting.jobs().set(id, { ...job, leaseUntil })
    return true
  }

  #record({ leaseUntil, ...job }: KeptJob): JobRecord {
    return { ...job, leaseLeftMs: Math.max(0, leaseUntil - this.#setting.now()) }
  }
}
