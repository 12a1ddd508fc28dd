// Holds a job of another kind than resharding while something is done: begins it, or takes on the
// one of that kind that a worker has left, and keeps its lease until it is ended or dropped.

import { Fenced, PlanConflict } from '../shard-error.ts'
import { sleep } from '../timers.ts'
import type { ToolSettings } from './reshard-options.ts'

/** A job that is held. */
export interface JobHold {
  readonly id: string
  /** What was saved last. */
  readonly body: string
  /** Aborts with the caller's, or when the lease is lost. */
  readonly signal: AbortSignal
  /** @throws {Fenced} if another has it. */
  save(body: string): Promise<void>
  /** It is done. */
  end(): Promise<void>
}

/**
 * Does something as a job.
 *
 * @throws {PlanConflict} if another job is under way, or somebody works on this one; what `work`
 * throws, the job being left for whoever calls again.
 */
export async function holdJob<R>(
  settings: ToolSettings,
  begun: { readonly id: string; readonly kind: string; readonly body: string },
  signal: AbortSignal | undefined,
  work: (hold: JobHold) => Promise<R>,
): Promise<R> {
  const { jobs } = settings.store
  const other = await jobs.create(begun)
  if (other !== undefined && other.kind !== begun.kind) {
    throw new PlanConflict(`job ${other.id} (${other.kind}) is under way: finish or abort it first`)
  }
  const { id } = other ?? begun
  const token = await jobs.take(id, settings.worker, settings.leaseMs)
  if (token === undefined) {
    throw new PlanConflict(`job ${id} (${begun.kind}) is being worked on; wait until it has ended`)
  }
  const lost = new AbortController()
  const stop = () => lost.abort(signal?.reason)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const done = new AbortController()
  const beating = beat(settings, { id, token }, lost, done.signal)
  let body = other?.body ?? begun.body
  const save = async (next: string, end: boolean): Promise<void> => {
    if ((await jobs.save(id, token, next, { end })) === 'fenced') throw new Fenced(id, token)
    body = next
  }
  try {
    return await work({
      id,
      get body() {
        return body
      },
      signal: lost.signal,
      save: (next) => save(next, false),
      end: () => save(body, true),
    })
  } finally {
    signal?.removeEventListener('abort', stop)
    done.abort()
    await beating
    await jobs.drop(id, token).catch(() => undefined)
  }
}

async function beat(
  { store, timers, leaseMs }: ToolSettings,
  { id, token }: { readonly id: string; readonly token: number },
  lost: AbortController,
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    try {
      await sleep(timers, leaseMs / 3, done)
      if (!(await store.jobs.renew(id, token, leaseMs))) lost.abort(new Fenced(id, token))
    } catch {
      // The store does not answer, or it is done: the token tells if another has the job.
    }
  }
}
