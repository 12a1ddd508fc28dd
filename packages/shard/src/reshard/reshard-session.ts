// A worker's time with a job, from taking the lease to losing it, dropping it or stumbling:
//
//   take the lease ─ claim all shards ─ settle the fences ─ phase after phase ─ drop the lease
//        └ a heartbeat renews it and looks for wishes, all the time
//
// Claiming comes before anything on a shard is looked at: after it no worker of before can change
// what is seen.

import { Fenced, ShardError } from '../shard-error.ts'
import { sleep } from '../timers.ts'
import { catchUp, follow } from './catch-up-phase.ts'
import { abort, clean } from './clean-phase.ts'
import { copy } from './copy-phase.ts'
import { flip } from './flip-phase.ts'
import { prepare } from './prepare-phase.ts'
import type { ReshardBody, ReshardPause } from './reshard-body.ts'
import { decodeBody } from './reshard-body-json.ts'
import type { ReshardSettings } from './reshard-options.ts'
import { hasReached, isOver, type ReshardState } from './reshard-state.ts'
import { heeded } from './reshard-wishes.ts'
import { allOf, ReshardWork } from './reshard-work.ts'
import { settleFences, shardsToClaim } from './settle-fences.ts'
import { verify } from './verify-phase.ts'

/** How often wishes are looked for, at the least. */
const LOOK_EVERY_MS = 1_000

/** A lease on a job. */
export class ReshardSession {
  readonly work: ReshardWork
  readonly #lost: AbortController
  readonly #stopListening: () => void
  #beating: Promise<void> | undefined

  private constructor(work: ReshardWork, lost: AbortController, stopListening: () => void) {
    this.work = work
    this.#lost = lost
    this.#stopListening = stopListening
  }

  /**
   * Takes the job, and keeps it with a heartbeat.
   *
   * @param token Of the lease to take over by force; without it only a lease that is over is taken.
   * @returns Undefined if somebody else has it.
   * @throws {Fenced} if the lease of that token is another's by now; {@link ShardError}
   * `INVALID_JOB` for a record that cannot be read.
   */
  static async open(
    settings: ReshardSettings,
    id: string,
    { token: own, signal }: { token?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<ReshardSession | undefined> {
    const { jobs } = settings.store
    if (own !== undefined && (await jobs.find(id))?.token !== own) throw new Fenced(id, own)
    const options = { force: own !== undefined }
    const token = await jobs.take(id, settings.worker, settings.leaseMs, options)
    if (token === undefined) return undefined
    const record = await jobs.find(id)
    if (record?.token !== token) throw new Fenced(id, token)
    const lost = new AbortController()
    const stop = () => lost.abort(signal?.reason)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
    const work = new ReshardWork(settings, {
      lease: { job: id, token },
      record,
      body: decodeBody(record.body),
      signal: lost.signal,
    })
    const session = new ReshardSession(work, lost, () => {
      signal?.removeEventListener('abort', stop)
    })
    session.#beating = session.#beat()
    return session
  }

  /** Works until the job has come to a state, or has ended. */
  async run(until: ReshardState): Promise<ReshardBody> {
    const { work } = this
    await this.#takeOver()
    if (work.body.state === 'copying') await readPositions(work)
    while (!isOver(work.body.state)) {
      work.signal.throwIfAborted()
      await this.#heed()
      if (work.body.paused !== undefined) await this.#waitForWish()
      else if (hasReached(work.body, until)) break
      else await PHASES[work.body.state](work)
    }
    return work.body
  }

  /** Pauses the job, with its slots thawed if that can be done. */
  async pause(paused: ReshardPause): Promise<void> {
    await this.#takeOver().catch(() => undefined)
    await this.work.save({ paused })
  }

  /** Lets others have the job at once. */
  async close(): Promise<void> {
    const { job, token } = this.work.lease
    this.#lost.abort(new ShardError('CLOSED', 'this worker has stopped'))
    this.#stopListening()
    await this.#beating
    await this.work.settings.store.jobs.drop(job, token)
  }

  /** Ends without a word: the lease stays until the same worker takes it again, or it is over. */
  async leave(): Promise<void> {
    this.#lost.abort(new ShardError('CLOSED', 'this session has ended'))
    this.#stopListening()
    await this.#beating
  }

  async #takeOver(): Promise<void> {
    const { work } = this
    const shards = shardsToClaim(work.body, await work.map())
    await allOf(shards.map((shard) => work.mover.claim(shard, work.lease)))
    await settleFences(work)
  }

  async #heed(): Promise<void> {
    const { work } = this
    if (!work.hasWish) return
    const { wish, wishes } = work.record
    await work.save({ ...heeded(work.body, wish), wishes })
  }

  async #waitForWish(): Promise<void> {
    while (this.work.mayGoOn) await this.work.sleep(LOOK_EVERY_MS / 4)
  }

  async #beat(): Promise<void> {
    const { work } = this
    const { settings, lease } = work
    const { jobs } = settings.store
    const everyMs = Math.min(LOOK_EVERY_MS, settings.leaseMs / 3)
    while (!work.signal.aborted) {
      try {
        await sleep(settings.timers, everyMs, work.signal)
        if (!(await jobs.renew(lease.job, lease.token, settings.leaseMs))) {
          this.#lost.abort(new Fenced(lease.job, lease.token))
        }
        const record = await jobs.find(lease.job)
        if (record !== undefined) work.record = record
      } catch {
        // The store does not answer: if that lasts somebody else will have the lease, and the
        // tokens tell.
      }
    }
  }
}

const PHASES: Readonly<Record<ReshardState, (work: ReshardWork) => Promise<void>>> = {
  planned: prepare,
  prepared: async (work) => {
    await work.save({ state: 'copying' })
    await readPositions(work)
  },
  copying: copy,
  'catching-up': catchUp,
  verifying: verify,
  ready: async (work) => {
    await follow(work, () => work.body.isCutOver)
    if (work.body.isCutOver && work.mayGoOn) await work.save({ state: 'freezing' })
  },
  freezing: flip,
  committed: async (work) => {
    await work.save({ state: 'reversible' })
  },
  reversible: async (work) => {
    await follow(work, () => isPastReversal(work))
    if (isPastReversal(work) && work.mayGoOn) await work.save({ state: 'cleaning' })
  },
  cleaning: clean,
  aborting: abort,
  done: async () => {},
  aborted: async () => {},
}

function isPastReversal({ body, settings }: ReshardWork): boolean {
  const { isFinishing, committedAtMs, rules } = body
  if (isFinishing) return true
  if (rules.reversibleMs === undefined || committedAtMs === undefined) return false
  return settings.now() - committedAtMs >= rules.reversibleMs
}

/** How far each copy has come, as its target has it. */
async function readPositions(work: ReshardWork): Promise<void> {
  const { mover, lease, body } = work
  const positions = await allOf(
    body.pairs.map(({ from, to }) => mover.position(from, to, lease.job)),
  )
  work.note({ pairs: body.pairs.map((pair, i) => ({ ...pair, copied: positions[i]! })) })
}
