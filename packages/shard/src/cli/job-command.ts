// What the commands about jobs do: `plan` says what a change would come to, `reshard` and
// `rebalance` make a job and work on it with its progress in view, the others steer it from
// another terminal, or from a script.

import {
  type Rebalance,
  Reshard,
  type ReshardPlan,
  type ReshardProgress,
  type ReshardTools,
  rebalance,
} from '../reshard/index.ts'
import type { Answer } from './answers.ts'
import type { Host } from './command.ts'
import type { CommandConfig } from './config.ts'
import { isWish, type JobRequest } from './job-arguments.ts'
import { durationText, progressLine } from './progress-line.ts'
import { bytesText, textTable } from './text-table.ts'

/** How often progress is looked at. */
const LOOK_MS = 200
const CLEAR_LINE = '\r\u001b[K'

/** Does what is asked of a job. */
export async function jobAnswer(
  request: JobRequest,
  config: CommandConfig,
  host: Host,
): Promise<Answer> {
  const { command, change, options } = request
  const { engine, store } = config
  if (command === 'jobs') return jobsAnswer(config)
  if (command === 'plan') {
    const { capture, throttle } = options
    return planAnswer(await Reshard.plan({ engine, store, change: change!, capture, throttle }))
  }
  if (command === 'rebalance') return rebalanceAnswer(request, config, host)
  if (isWish(command)) {
    const job = await Reshard.open({ engine, store, id: request.id })
    await job[command]()
    const progress = await job.status()
    const text = `job ${job.id} was asked to ${command}; it is ${progress.state}\n`
    return { ok: true, value: { asked: command, ...progress }, text }
  }
  return workAnswer(await jobOf(request, config), request, host)
}

/** The job that is made, or the one that is under way. */
function jobOf(request: JobRequest, { engine, store, ddl }: CommandConfig): Promise<Reshard> {
  const { change, options, id } = request
  const tools: ReshardTools = { engine, store }
  if (change === undefined) return Reshard.open({ ...tools, id })
  return Reshard.create({ ...tools, ...options, change, ddl })
}

async function rebalanceAnswer(
  request: JobRequest,
  config: CommandConfig,
  host: Host,
): Promise<Answer> {
  const { engine, store } = config
  const { by, factor, isDryRun } = request
  const found = await rebalance({ engine, store, by, factor })
  const text = loadsText(found, by ?? 'bytes')
  const { moves = [] } = found.change
  if (isDryRun || moves.length === 0) return { ok: true, value: found, text }
  if (!request.json) host.print(`${text}\n`)
  const job = await jobOf({ ...request, change: found.change }, config)
  return workAnswer(job, request, host)
}

/** Works on a job until it is where it should be, its progress in view. */
async function workAnswer(job: Reshard, request: JobRequest, host: Host): Promise<Answer> {
  const { until } = request
  const stop = new AbortController()
  const onInterrupt = () => stop.abort(new Interrupted())
  const { interrupted } = host
  interrupted?.addEventListener('abort', onInterrupt, { once: true })
  const view = new ProgressView(request.json, host)
  view.say(`job ${job.id}: working until it is ${until}; Ctrl-C stops, nothing is lost by it\n`)
  const watching = watch(job, view, stop.signal)
  try {
    const progress = await job.run({ until, signal: stop.signal })
    return { ok: true, value: progress, text: endText(progress) }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    const progress = await job.status()
    const text = `job ${job.id} stopped at ${progress.state}; \`ashlar-shard reshard\` goes on\n`
    return { ok: false, value: progress, text }
  } finally {
    interrupted?.removeEventListener('abort', onInterrupt)
    stop.abort(new Interrupted())
    await watching
    view.end()
    await job.close()
  }
}

/** Asked to stop by the user. */
class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

async function watch(job: Reshard, view: ProgressView, signal: AbortSignal): Promise<void> {
  try {
    for await (const progress of job.progress({ everyMs: LOOK_MS, signal })) view.show(progress)
  } catch (error) {
    // What the work itself meets is told by it.
    if (!signal.aborted) view.say(`progress cannot be read: ${String(error)}\n`)
  }
}

/** Progress: on a terminal one line that changes; elsewhere a line a state; JSON a line a look. */
class ProgressView {
  readonly #isJson: boolean
  readonly #host: Host
  #state = ''

  constructor(isJson: boolean, host: Host) {
    this.#isJson = isJson
    this.#host = host
  }

  say(text: string): void {
    if (!this.#isJson) this.#host.print(text)
  }

  show(progress: ReshardProgress): void {
    const { print, columns } = this.#host
    if (this.#isJson) print(`${JSON.stringify(progress)}\n`)
    else if (columns !== undefined) print(`${CLEAR_LINE}${progressLine(progress, columns - 1)}`)
    else if (this.#state !== stateOf(progress)) print(`${progressLine(progress, 1_000)}\n`)
    this.#state = stateOf(progress)
  }

  end(): void {
    if (!this.#isJson && this.#host.columns !== undefined) this.#host.print(CLEAR_LINE)
  }
}

function stateOf({ state, direction, paused }: ReshardProgress): string {
  return `${state} ${direction} ${paused?.message}`
}

function endText({ id, state, rows, slots, changes, freezeMs, thaws }: ReshardProgress): string {
  const count = (n: number) => n.toLocaleString('en-US')
  return (
    `job ${id} is ${state}: ${count(slots.flipped)} of ${count(slots.total)} slots moved, ` +
    `${count(rows.copied)} rows copied, ${count(changes)} changes followed; frozen for ` +
    `${Math.round(freezeMs.max)} ms at most, ${thaws} freezes given up\n`
  )
}

/** What a change would come to. */
function planAnswer(plan: ReshardPlan): Answer {
  const { pairs, moves, admit, dismiss, rows, bytes, estimateMs, blockers, epoch } = plan
  const table = textTable(
    ['from', 'to', 'slots', 'rows', 'size'],
    pairs.map((pair) => [pair.from, pair.to, pair.slots.length, pair.rows, bytesText(pair.bytes)]),
  )
  const lines = [
    `${moves.length.toLocaleString('en-US')} slots, ${rows.toLocaleString('en-US')} rows, ` +
      `${bytesText(bytes)}; about ${durationText(estimateMs)} by the map of epoch ${epoch}`,
    ...(admit.length > 0 ? [`joins: ${admit.map(({ id }) => id).join(', ')}`] : []),
    ...(dismiss.length > 0 ? [`leaves: ${dismiss.join(', ')}`] : []),
    ...blockers.map((blocker) => `in the way: ${blocker}`),
  ]
  return { ok: blockers.length === 0, value: plan, text: `${table}\n${lines.join('\n')}\n` }
}

function loadsText({ change, loads }: Rebalance, by: 'rows' | 'bytes'): string {
  const text = (n: number) => (by === 'bytes' ? bytesText(Math.round(n)) : Math.round(n))
  const table = textTable(
    ['shard', `${by} now`, 'then', 'its share'],
    loads.map(({ shard, before, after, share }) => [shard, text(before), text(after), text(share)]),
  )
  const { moves = [] } = change
  const what = moves.length === 0 ? 'as even as slots can be' : `${moves.length} slots to move`
  return `${table}\n${what}\n`
}

async function jobsAnswer({ store }: CommandConfig): Promise<Answer> {
  const jobs = await store.jobs.list()
  const table = textTable(
    ['job', 'kind', 'state', 'worker'],
    jobs.map(({ id, kind, isEnded, worker, leaseLeftMs }) => {
      const isHeld = !isEnded && leaseLeftMs > 0
      return [id, kind, isEnded ? 'ended' : 'under way', isHeld ? (worker ?? '-') : '-']
    }),
  )
  const value = jobs.map(({ body, ...job }) => ({ ...job, body: JSON.parse(body) as unknown }))
  return { ok: true, value: { jobs: value }, text: jobs.length === 0 ? 'no jobs\n' : table }
}
