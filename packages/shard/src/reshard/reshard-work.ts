// What the phases of a job work with: the body as it was saved last, the lease that everything is
// done under, and the way to stop between two steps.
//
// Invariant: the body here is the one in the store. A save whose outcome is unknown therefore ends
// the session; the next one takes a new token first, which the late save does not carry.

import type { JobRecord } from '../job-log.ts'
import { noMap } from '../router-map.ts'
import { Fenced } from '../shard-error.ts'
import { ShardMap } from '../shard-map.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import type { MoveLease, SlotMover } from '../slot-mover.ts'
import { sleep } from '../timers.ts'
import type { ReshardBody, ReshardFigures } from './reshard-body.ts'
import { encodeBody } from './reshard-body-json.ts'
import type { ReshardSettings } from './reshard-options.ts'

/** How often figures are saved while nothing else is, in milliseconds. */
const SAVE_EVERY_MS = 1_000

/** One worker's hold on one job. */
export class ReshardWork {
  readonly lease: MoveLease
  readonly settings: ReshardSettings
  /** Aborts when the worker is to stop, or has lost the lease. */
  readonly signal: AbortSignal
  /** Steps that will not have to be done again, for telling whether it comes forward. */
  steps = 0
  /** What the store said last of the job. */
  record: JobRecord
  #body: ReshardBody
  #figures: ReshardFigures
  #savedAtMs: number
  #saving: Promise<unknown> = Promise.resolve()
  #map: ShardMap | undefined

  constructor(
    settings: ReshardSettings,
    hold: {
      readonly lease: MoveLease
      readonly record: JobRecord
      readonly body: ReshardBody
      readonly signal: AbortSignal
    },
  ) {
    this.settings = settings
    this.lease = hold.lease
    this.record = hold.record
    this.signal = hold.signal
    this.#body = hold.body
    this.#figures = hold.body.figures
    this.#savedAtMs = settings.monotonic()
  }

  get body(): ReshardBody {
    return this.#body
  }

  get mover(): SlotMover {
    return this.settings.mover
  }

  /** Whether a user asked for something that was not heeded yet. */
  get hasWish(): boolean {
    return this.record.wishes > this.#body.wishes
  }

  /** Whether a phase should go on by itself. */
  get mayGoOn(): boolean {
    return !this.hasWish && !this.signal.aborted
  }

  get figures(): ReshardFigures {
    return this.#figures
  }

  /** Counts; it is saved with the next save. */
  count(add: (figures: ReshardFigures) => Partial<ReshardFigures>): void {
    this.#figures = { ...this.#figures, ...add(this.#figures) }
  }

  /** As done by another means: not saved until the next save. */
  note(changes: Partial<ReshardBody>): void {
    this.#body = { ...this.#body, ...changes }
  }

  /**
   * Saves the body with changes, and a map with it where one is given: false if the map in force is
   * not the one that this follows, and nothing was changed.
   *
   * @throws {Fenced} if another worker has the job.
   */
  save(
    changes: Partial<ReshardBody> | ((body: ReshardBody) => Partial<ReshardBody>),
    options: {
      readonly map?: { readonly expected: number; readonly next: ShardMapJson } | undefined
      readonly end?: boolean | undefined
    } = {},
  ): Promise<boolean> {
    const saved = this.#saving.then(async () => {
      const made = typeof changes === 'function' ? changes(this.#body) : changes
      const next: ReshardBody = { ...this.#body, ...made, figures: this.#figures }
      const { jobs } = this.settings.store
      const { job, token } = this.lease
      const outcome = await jobs.save(job, token, encodeBody(next), options)
      if (outcome === 'fenced') throw new Fenced(job, token)
      if (outcome === 'map-changed') return false
      if (next.state !== this.#body.state || options.map !== undefined) this.steps += 1
      // Not `next`: what was noted while it was on its way stands as well.
      this.#body = { ...this.#body, ...made, figures: next.figures }
      this.#savedAtMs = this.settings.monotonic()
      return true
    })
    this.#saving = saved.catch(() => undefined)
    return saved
  }

  /** Saves figures and positions now and then. */
  async saveSometimes(): Promise<void> {
    if (this.settings.monotonic() - this.#savedAtMs >= SAVE_EVERY_MS) await this.save({})
  }

  /** The map in force. */
  async map(): Promise<ShardMap> {
    const { store } = this.settings
    const epoch = await store.epoch()
    if (this.#map !== undefined && epoch === this.#map.epoch) return this.#map
    const json = await store.load()
    if (json === undefined) throw noMap()
    this.#map = ShardMap.fromJSON(json)
    return this.#map
  }

  /** Waits; rejects when the worker is to stop. */
  sleep(ms: number): Promise<void> {
    return sleep(this.settings.timers, ms, this.signal)
  }
}

/** Waits for all, also if one fails, so that nothing runs on unseen; then throws what failed. */
export async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(promises)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<T>).value)
}
