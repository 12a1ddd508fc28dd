// What jobs have put on a memory database: the highest token of each, which slots it captures, the
// keys that were found changed and not acknowledged, and how far its copies have come.
//
// Invariant: a key is noted with the number of the commit that changed it last, and forgotten only
// by who was given it with that number.

import type { Row } from '../engine.ts'
import { Fenced } from '../shard-error.ts'
import type { ChangeBatch, MoveLease } from '../slot-mover.ts'

/** A row that a commit wrote or deleted. */
export interface ChangedRow {
  readonly table: string
  /** The text that its primary key is found under. */
  readonly key: string
  readonly primaryKey: Row
  /** The slots that it lay under before and lies under now. */
  readonly slots: readonly number[]
}

interface DirtyRow extends ChangedRow {
  readonly commit: number
}

interface JobTraces {
  readonly captured: Set<number>
  /** Whether `startCapture` was called, be it with no slots. */
  isReady: boolean
  readonly dirty: Map<string, DirtyRow>
  readonly positions: Map<string, number>
}

/** What a {@link ChangeBatch} of this engine is acknowledged by. */
type Receipt = readonly (readonly [text: string, commit: number])[]

/** What jobs have left on one database. */
export class MoveLog {
  readonly #tokens = new Map<string, number>()
  readonly #jobs = new Map<string, JobTraces>()

  /** Remembers a token, refusing one that is lower than another of its job. */
  admit(shard: string, { job, token }: MoveLease): void {
    if (token < (this.#tokens.get(job) ?? 0)) throw new Fenced(job, token, { shard })
    this.#tokens.set(job, token)
  }

  /** Captures changes of these slots as well from now on. */
  begin(job: string, slots: readonly number[]): void {
    const traces = this.#tracesOf(job)
    traces.isReady = true
    for (const slot of slots) traces.captured.add(slot)
  }

  /** Captures changes of these slots no more. */
  end(job: string, slots: readonly number[]): void {
    for (const slot of slots) this.#jobs.get(job)?.captured.delete(slot)
  }

  /** Whether anything is captured at all. */
  get isCapturing(): boolean {
    return [...this.#jobs.values()].some(({ captured }) => captured.size > 0)
  }

  /** Notes a row that is being committed, for the jobs that capture one of its slots. */
  note(row: ChangedRow, commit: number): void {
    const text = `${row.table.length} ${row.table} ${row.key}`
    for (const { captured, dirty } of this.#jobs.values()) {
      const found = row.slots.filter((slot) => captured.has(slot))
      if (found.length === 0) continue
      const before = dirty.get(text)?.slots ?? []
      dirty.set(text, { ...row, slots: [...new Set([...before, ...found])], commit })
    }
  }

  /** The keys noted longest ago. */
  changes(job: string, limit: number): ChangeBatch {
    const all = [...(this.#jobs.get(job)?.dirty ?? [])]
    const some = all.slice(0, limit)
    const keys = some.map(([, { table, primaryKey, slots }]) => {
      // A row that changed its slot is of interest wherever one of the two goes.
      return {
        table,
        primaryKey: { ...primaryKey },
        slot: slots.length === 1 ? slots[0] : undefined,
      }
    })
    const receipt: Receipt = some.map(([text, { commit }]) => [text, commit])
    return { keys, isAll: some.length === all.length, receipt }
  }

  /** Forgets the keys of a batch that did not change since it was given. */
  acknowledge(job: string, { receipt }: ChangeBatch): void {
    const dirty = this.#jobs.get(job)?.dirty
    for (const [text, commit] of receipt as Receipt) {
      if (dirty?.get(text)?.commit === commit) dirty.delete(text)
    }
  }

  position(job: string, from: string): number {
    return this.#jobs.get(job)?.positions.get(from) ?? 0
  }

  setPosition(job: string, from: string, position: number): void {
    this.#tracesOf(job).positions.set(from, position)
  }

  /** Forgets a job but for its token. */
  release(job: string): void {
    this.#jobs.delete(job)
  }

  /** What is left of jobs, a line each. */
  traces(): string[] {
    return [...this.#jobs].flatMap(([job, { isReady, captured, dirty, positions }]) => [
      ...(isReady ? [`job ${job} captures ${captured.size} slots`] : []),
      ...(dirty.size > 0 ? [`job ${job} has ${dirty.size} changes to apply`] : []),
      ...[...positions.keys()].map((from) => `job ${job} copies from ${from}`),
    ])
  }

  #tracesOf(job: string): JobTraces {
    const found = this.#jobs.get(job)
    if (found !== undefined) return found
    const made = {
      captured: new Set<number>(),
      isReady: false,
      dirty: new Map(),
      positions: new Map(),
    }
    this.#jobs.set(job, made)
    return made
  }
}
