// Jobs that work on the whole fleet, one at a time: kept beside the map, so that a job and the map
// change in one transaction. A job is a text to this log; what stands in it is reshard/'s.
//
// A worker holds a job by a lease on the store's clock. Each taking of the lease gives a higher
// token, and only who has the latest may write, so a worker that lost it cannot.

import type { ShardMapJson } from './shard-map-json.ts'

/** A job as it is kept. */
export interface JobRecord {
  readonly id: string
  /** `reshard`, `migrate`, `adopt`. */
  readonly kind: string
  /** What the worker has written last. */
  readonly body: string
  /** What users have asked for last: `pause`, `abort` …; undefined before they did. */
  readonly wish: string | undefined
  /** How often it was wished for something: a worker tells by it that a wish is new. */
  readonly wishes: number
  /** The highest token given out. */
  readonly token: number
  /** Who has the lease, or had it last. */
  readonly worker: string | undefined
  /** How long the lease still runs, in milliseconds; 0 or less if it is over. */
  readonly leaseLeftMs: number
  readonly isEnded: boolean
}

/** What became of a {@link JobLog.save}. */
export type JobSave = 'saved' | 'fenced' | 'map-changed'

/** The jobs of a fleet. All is durable once it resolves. */
export interface JobLog {
  /** Begins a job; the one that is under way if there is one, and then nothing is changed. */
  create(job: { id: string; kind: string; body: string }): Promise<JobRecord | undefined>
  /** Undefined if there is none of that id. */
  find(id: string): Promise<JobRecord | undefined>
  /** The job that is under way. */
  current(): Promise<JobRecord | undefined>
  /** The last jobs, newest first; default 20. */
  list(limit?: number): Promise<readonly JobRecord[]>
  /**
   * Takes the lease, if nobody has it or `force` says so: a new token, higher than all before.
   * Undefined if somebody has it, or the job has ended.
   */
  take(
    id: string,
    worker: string,
    leaseMs: number,
    options?: { readonly force?: boolean | undefined },
  ): Promise<number | undefined>
  /** Prolongs the lease; false if another has taken it since. */
  renew(id: string, token: number, leaseMs: number): Promise<boolean>
  /** Ends the lease, so that another may take it at once. Does nothing with an old token. */
  drop(id: string, token: number): Promise<void>
  /**
   * Writes the body, if the token is the latest; and with it, all or nothing, the map, if the one
   * in force has epoch `expected`; and that the job has ended.
   */
  save(
    id: string,
    token: number,
    body: string,
    options?: {
      readonly map?: { readonly expected: number; readonly next: ShardMapJson } | undefined
      readonly end?: boolean | undefined
    },
  ): Promise<JobSave>
  /** Leaves a wish for the worker; false if the job has ended or there is none of that id. */
  wish(id: string, wish: string): Promise<boolean>
}
