// Works on a job until it is where it should be: takes it when nobody has it, goes on where others
// stopped, tries again what may pass, and pauses it for what does not.

import { ShardError, type ShardErrorCode } from '../shard-error.ts'
import { sleep } from '../timers.ts'
import type { ReshardBody } from './reshard-body.ts'
import { decodeBody } from './reshard-body-json.ts'
import type { ReshardSettings } from './reshard-options.ts'
import { ReshardSession } from './reshard-session.ts'
import { hasReached, isOver, type ReshardState } from './reshard-state.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000
/** How long to wait at most before looking whether a lease is over. */
const LOOK_EVERY_MS = 1_000
/** A row in the way may be that of a key that is just being pinned. */
const CONFLICT_RETRIES = 2

/** What a worker shall do. */
export interface WorkOrder {
  readonly until: ReshardState
  readonly signal: AbortSignal | undefined
}

/**
 * Works on a job; resolves with it once it has come to the state or has ended.
 *
 * @throws what the job was paused for; `FENCED` if another worker has taken it over; the signal's
 * reason; `INVALID_JOB`, `CLOSED`.
 */
export async function workOn(
  settings: ReshardSettings,
  id: string,
  { until, signal }: WorkOrder,
): Promise<ReshardBody> {
  let token: number | undefined
  for (let failures = 0; ; ) {
    let session: ReshardSession | undefined
    try {
      if (token === undefined) {
        const { body, waiting } = await lookAt(settings, id)
        if (isOver(body.state) || (waiting === undefined && hasReached(body, until))) return body
      }
      session = await ReshardSession.open(settings, id, { token, signal })
      if (session === undefined) {
        await waitForLease(settings, id, signal)
        continue
      }
      token = session.work.lease.token
      const reached = await session.run(until)
      await session.close()
      return reached
    } catch (error) {
      const stopped = session?.work.signal
      const reason: unknown = stopped?.aborted ? stopped.reason : error
      failures = (session?.work.steps ?? 0) > 0 ? 1 : failures + 1
      const isOut = failures > retriesOf(reason, settings)
      if (isStop(reason, signal)) {
        await session?.close().catch(() => undefined)
        throw reason
      }
      if (isOut) {
        await session?.leave()
        if (token !== undefined) await pauseFor(settings, id, token, reason)
        throw reason
      }
      // Its heart beats on meanwhile, so that nobody takes what will be tried again here.
      const spanMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1))
      await sleep(settings.timers, spanMs * (0.5 + settings.random() / 2), signal)
      await session?.leave()
    }
  }
}

/**
 * A job as it was saved last, and what was asked of it since.
 *
 * @throws {ShardError} `INVALID_JOB`.
 */
export async function lookAt(
  { store }: Pick<ReshardSettings, 'store'>,
  id: string,
): Promise<{ readonly body: ReshardBody; readonly waiting: string | undefined }> {
  const record = await store.jobs.find(id)
  if (record !== undefined) {
    const body = decodeBody(record.body)
    return { body, waiting: record.wishes > body.wishes ? record.wish : undefined }
  }
  throw new ShardError('INVALID_JOB', `there is no job ${id}`)
}

async function waitForLease(
  settings: ReshardSettings,
  id: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const record = await settings.store.jobs.find(id)
  const leftMs = record?.leaseLeftMs ?? 0
  await sleep(settings.timers, Math.min(LOOK_EVERY_MS, Math.max(10, leftMs)), signal)
}

/** Whether this worker shall do no more, not even say so. */
function isStop(reason: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return true
  return reason instanceof ShardError && (reason.code === 'FENCED' || reason.code === 'CLOSED')
}

/** By a session of its own: that of the failure may not know what was saved last. */
async function pauseFor(
  settings: ReshardSettings,
  id: string,
  token: number,
  reason: unknown,
): Promise<void> {
  try {
    const session = await ReshardSession.open(settings, id, { token })
    await session?.pause({ code: codeOf(reason), message: messageOf(reason) })
    await session?.close()
  } catch {
    // The store does not answer or somebody else has the job: it is theirs to say.
  }
}

/** Codes of what does not pass by waiting. */
const LASTING: readonly ShardErrorCode[] = [
  'VERIFY_MISMATCH',
  'BARRIER_TIMEOUT',
  'INVALID_JOB',
  'INVALID_MAP',
  'INVALID_OPTION',
  'INVALID_TABLE',
  'UNKNOWN_SHARD',
  'UNKNOWN_TABLE',
  'UNSUPPORTED',
  'NO_MAP',
]

function retriesOf(reason: unknown, { retries }: ReshardSettings): number {
  if (!(reason instanceof ShardError)) return retries
  if (reason.code === 'PLAN_CONFLICT') return Math.min(retries, CONFLICT_RETRIES)
  return LASTING.includes(reason.code) ? 0 : retries
}

function codeOf(reason: unknown): string | undefined {
  return reason instanceof ShardError ? reason.code : undefined
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
