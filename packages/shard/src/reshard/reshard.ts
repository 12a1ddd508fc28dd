// A resharding job as its users see it: made, worked on, watched and steered, in the same process
// or in several. It stands in the store; a worker is whoever calls `run`.

import type { ShardTx } from '../engine.ts'
import type { JobRecord } from '../job-log.ts'
import type { MapStore } from '../map-store.ts'
import { PlanConflict, ShardError } from '../shard-error.ts'
import { sleep } from '../timers.ts'
import type { ReshardBody } from './reshard-body.ts'
import { decodeBody, encodeBody } from './reshard-body-json.ts'
import {
  newId,
  type ReshardOptions,
  type ReshardPlanOptions,
  type ReshardSettings,
  type ReshardTools,
  reshardRules,
  reshardSettings,
} from './reshard-options.ts'
import { checkBlockers, loadMap, planReshard, type ReshardPlan, reweighed } from './reshard-plan.ts'
import { progressOf, type ReshardProgress } from './reshard-progress.ts'
import { isOver, type ReshardState, type ReshardWish, refusalOf } from './reshard-state.ts'
import { heeded, wishAfter } from './reshard-wishes.ts'
import { lookAt, workOn } from './reshard-worker.ts'

const KIND = 'reshard'

/** Options of {@link Reshard.run}. */
export interface ReshardRun {
  /** Where to stop, at the latest; default when the job has ended. */
  readonly until?: ReshardState | undefined
  /** Stops between two steps, with nothing frozen; the job can be run again. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Moves slots from shards to shards while they are read and written: no acknowledged write is lost,
 * writers of a batch of slots wait for a moment, and there is a way back until `finish`.
 *
 * @example
 * const job = await Reshard.create({ engine, store, change: { add: ['elm'] }, ddl })
 * await job.run({ until: 'ready' })
 * await job.cutover()
 * await job.run({ until: 'reversible' })
 * await job.finish()
 * await job.run()
 */
export class Reshard<Tx extends ShardTx = ShardTx> {
  readonly id: string
  readonly #settings: ReshardSettings<Tx>
  readonly #closed = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  private constructor(id: string, settings: ReshardSettings<Tx>) {
    this.id = id
    this.#settings = settings
  }

  /**
   * What a change of the map would move, and what stands against it. Changes nothing; counts rows.
   *
   * @throws {ShardError} `NO_MAP`; `UNSUPPORTED`; `INVALID_OPTION`; what `map.change` throws.
   */
  static plan(options: ReshardPlanOptions): Promise<ReshardPlan> {
    return planReshard(options)
  }

  /**
   * Makes a job of a change of the map; nothing moves until it is run.
   *
   * @throws {PlanConflict} naming what stands against it, another job that is under way for one;
   * and as {@link plan}.
   */
  static async create<Tx extends ShardTx>(options: ReshardOptions<Tx>): Promise<Reshard<Tx>> {
    const settings = reshardSettings(options)
    const { mover, store, now } = settings
    const rules = reshardRules(mover, options)
    const plan = await planReshard({ ...options, capture: rules.capture })
    checkBlockers(plan.blockers)
    const map = await loadMap(store)
    if (map.epoch !== plan.epoch) {
      throw new PlanConflict('the map changed while the job was being planned; create it again')
    }
    const id = newId(settings.randomBytes)
    const fresh = { plan, rules, startedAtMs: now() }
    const body = freshBody(fresh, map.specs(), reweighed(map, options.change))
    const other = await store.jobs.create({ id, kind: KIND, body: encodeBody(body) })
    if (other !== undefined) throw underWay(other)
    return new Reshard(id, settings)
  }

  /**
   * The job of that id, or the one that is under way.
   *
   * @throws {ShardError} `INVALID_JOB` if there is none.
   */
  static async open<Tx extends ShardTx>(
    options: ReshardTools<Tx> & { readonly id?: string | undefined },
  ): Promise<Reshard<Tx>> {
    const settings = reshardSettings(options)
    const record = await recordOf(settings.store, options.id)
    decodeBody(record.body)
    return new Reshard(record.id, settings)
  }

  /**
   * Works on the job: takes it once nobody else has it, and carries it on from wherever it is to
   * the state `until`, or to its end. While the job is paused on request it stands by.
   *
   * Any number of processes may call it; one works and the others wait to take over, within the
   * time of a lease if it dies.
   *
   * @throws what the job has been paused for (`VERIFY_MISMATCH`, `PLAN_CONFLICT`,
   * `BARRIER_TIMEOUT` …): mend it, `resume` and run again; `FENCED` if another worker has taken
   * over while this one stood still; the signal's reason.
   */
  async run({ until = 'done', signal }: ReshardRun = {}): Promise<ReshardProgress> {
    this.#closed.signal.throwIfAborted()
    const stop = new AbortController()
    const onClose = () => stop.abort(this.#closed.signal.reason)
    const onAbort = () => stop.abort(signal?.reason)
    this.#closed.signal.addEventListener('abort', onClose, { once: true })
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    const working = workOn(this.#settings, this.id, { until, signal: stop.signal })
    this.#running.add(working)
    try {
      return progressOf(this.id, await working)
    } finally {
      this.#running.delete(working)
      this.#closed.signal.removeEventListener('abort', onClose)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /**
   * How the job is doing, as its worker saved last.
   *
   * @throws {ShardError} `INVALID_JOB` if the store has no such job.
   */
  async status(): Promise<ReshardProgress> {
    const { body } = await lookAt(this.#settings, this.id)
    return progressOf(this.id, body)
  }

  /**
   * How the job is doing, again and again until it has ended or the loop is left. Whoever works on
   * it saves once a second, and whenever its state changes.
   */
  async *progress(
    options: {
      readonly everyMs?: number | undefined
      readonly signal?: AbortSignal | undefined
    } = {},
  ): AsyncGenerator<ReshardProgress, void, undefined> {
    const { everyMs = 250, signal } = options
    for (let last = ''; ; ) {
      signal?.throwIfAborted()
      const progress = await this.status()
      const text = JSON.stringify(progress)
      if (text !== last) yield progress
      last = text
      if (isOver(progress.state)) return
      await sleep(this.#settings.timers, everyMs, signal)
    }
  }

  /** Stops it between two steps, nothing frozen, until `resume`. Its copies fall behind. */
  pause(): Promise<void> {
    return this.#wish('pause')
  }

  /** Lets it go on, also after what it was paused for by itself. */
  resume(): Promise<void> {
    return this.#wish('resume')
  }

  /** Gives it up, and takes everything back that it has done: slots that were flipped, too. */
  abort(): Promise<void> {
    return this.#wish('abort')
  }

  /** Lets it flip slots once it is ready. */
  cutover(): Promise<void> {
    return this.#wish('cutover')
  }

  /** Flips the slots back, with all that was written since; then it is ready again. */
  reverse(): Promise<void> {
    return this.#wish('reverse')
  }

  /** Ends it: there is no way back any more, and what the old owners hold is deleted. */
  finish(): Promise<void> {
    return this.#wish('finish')
  }

  /** Ends every `run` of this object, whose job others may take on. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed.abort(new ShardError('CLOSED', 'this handle on the job was closed; open another'))
    await Promise.allSettled(this.#running)
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #wish(wish: ReshardWish): Promise<void> {
    this.#closed.signal.throwIfAborted()
    const { body, waiting } = await lookAt(this.#settings, this.id)
    const { state } = { ...body, ...heeded(body, waiting) }
    const refusal = refusalOf(wish, state)
    const { jobs } = this.#settings.store
    if (refusal === undefined && (await jobs.wish(this.id, wishAfter(waiting, wish)))) return
    throw new ShardError(
      'INVALID_JOB',
      `job ${this.id} cannot ${wish}: ${refusal ?? 'it has just ended'}`,
    )
  }
}

async function recordOf({ jobs }: MapStore, id: string | undefined): Promise<JobRecord> {
  const record = id === undefined ? await jobs.current() : await jobs.find(id)
  if (record?.kind === KIND) return record
  const what = record === undefined ? 'there is none' : `${record.id} is of kind ${record.kind}`
  throw new ShardError(
    'INVALID_JOB',
    `${id === undefined ? 'no resharding job is under way' : `no resharding job ${id}`}: ${what}`,
  )
}

function underWay({ id, kind }: JobRecord): PlanConflict {
  return new PlanConflict(`job ${id} (${kind}) is under way: finish or abort it first`)
}

function freshBody(
  {
    plan,
    rules,
    startedAtMs,
  }: { plan: ReshardPlan; rules: ReshardBody['rules']; startedAtMs: number },
  tables: ReshardBody['tables'],
  reweigh: ReshardBody['reweigh'],
): ReshardBody {
  const none = { copied: 0, verified: 0, flipped: 0 }
  return {
    format: '@ashlar/shard/job',
    version: 1,
    state: 'planned',
    direction: 'forward',
    isAborting: false,
    isCutOver: rules.auto,
    isFinishing: false,
    admit: plan.admit,
    dismiss: plan.dismiss,
    reweigh,
    tables,
    rules,
    pairs: plan.pairs.map(({ from, to, slots }) => ({ from, to, slots, ...none })),
    admittedAt: undefined,
    flip: undefined,
    wishes: 0,
    paused: undefined,
    committedAtMs: undefined,
    figures: {
      startedAtMs,
      rows: plan.rows,
      bytes: plan.bytes,
      rowsCopied: 0,
      bytesCopied: 0,
      copyMs: 0,
      changes: 0,
      lagKeys: 0,
      freezesMs: [],
      thaws: 0,
    },
  }
}
