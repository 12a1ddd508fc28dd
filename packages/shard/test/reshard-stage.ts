// A resharding job whose workers are struck at numbered steps: every wait of a worker, before and
// after each step on a shard or in the store, is one. While it goes on a client is at work, which
// begins something new at every step that finds it idle.

import { Reshard, type ReshardOptions } from '../src/reshard/index.ts'
import { isOver, type ReshardState, type ReshardWish } from '../src/reshard/reshard-state.ts'
import { ShardError } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { VirtualTimers } from './memory-virtual-timers.ts'
import { ReshardFleet, type WorkerTwin } from './reshard-fleet.ts'
import { Ledger } from './reshard-ledger.ts'
import { BOOKS, Teller } from './reshard-teller.ts'

const SHARDS = ['a', 'b', 'c']
const ACCOUNTS = Array.from({ length: 12 }, (_, i) => `account-${i}`)
const LEASE_MS = 100
const HEARTBEAT_MS = 40
/** Until the other has just begun, or has long ended. */
const SLEEPS_MS = [130, 300, 3_000] as const
const STUCK_MS = 10_000

/** What happens at a step. */
export type Blow =
  /** The worker dies; what it had open ends. */
  | 'die'
  /** It stands still until the other has the job for a while, and goes on as if nothing was. */
  | 'sleep'
  /** The request, or its answer, is lost. */
  | 'fail'

/** Where it falls: at a step by its number, or when a label comes up for the nth time, from 0. */
export type Strike = { readonly blow: Blow } & (
  | { readonly step: number }
  | { readonly label: string; readonly nth: number }
)

/** What a job is for. */
export interface Course {
  readonly name: string
  readonly shards: readonly string[]
  readonly change: ReshardOptions['change']
  /** What is wished for when the job is first in a state. */
  readonly wishes: readonly { readonly at: ReshardState; readonly wish: ReshardWish }[]
  readonly end: 'done' | 'aborted'
}

export interface PlayOptions {
  readonly strikes?: readonly Strike[]
  readonly seed?: number
  readonly twin?: WorkerTwin | undefined
  /** Called at every step of a worker. */
  readonly onStep?: ((stage: { readonly fleet: ReshardFleet }) => Promise<void>) | undefined
  /** Without one nothing is written meanwhile. */
  readonly hasClient?: boolean
}

/** What came of it. */
export interface Play {
  readonly steps: number
  readonly verdict: string | undefined
  readonly acked: number
}

/** Plays a job from its beginning to its end. */
export async function play(course: Course, options: PlayOptions = {}): Promise<Play> {
  const { strikes = [], seed = 1, twin, onStep, hasClient = true } = options
  const timers = new VirtualTimers()
  const map = ShardMap.create({ slots: 12, shards: course.shards, tables: BOOKS })
  const fleet = await ReshardFleet.of(map, SHARDS, timers.now)
  const ledger = new Ledger()
  const random = diceOf(seed)
  const sleepMs = SLEEPS_MS[seed % 3]!
  const after = (ms: number) => new Promise<void>((wake) => timers.setTimeout(wake, ms))
  const tools = { timers, monotonic: timers.now, now: timers.now, random }
  const bystander = fleet.process({ timers })
  const router = await ShardRouter.open({ ...bystander, ...tools, sweepMs: 0 })
  const books = { ledger, accounts: ACCOUNTS, marked: ACCOUNTS }
  const teller = new Teller({ name: 't', router, random, ...books })
  for (const _ of ACCOUNTS) await teller.act('count')
  await teller.act('rate')
  let steps = 0
  let client: Promise<void> | undefined
  const begin = () => {
    if (!hasClient || client !== undefined) return
    client = teller.act().finally(() => {
      client = undefined
    })
  }
  const passed = new Map<string, number>()
  const blowAt = (label: string): Blow | undefined => {
    const nth = passed.get(label) ?? 0
    passed.set(label, nth + 1)
    const step = steps++
    return strikes.find((strike) => {
      return 'step' in strike ? strike.step === step : strike.label === label && strike.nth === nth
    })?.blow
  }
  const worker = (name: string) => {
    let isDead = false
    // All of it sleeps, its heart as well.
    let asleep: Promise<void> | undefined
    const delay = async (label: string) => {
      await asleep
      if (isDead) return forever()
      begin()
      // Some room for the client: no time passes, but its next few steps do.
      for (let i = 0; i < 6; i++) await null
      // Time for a heartbeat, by which the worker hears of it.
      if (await steerer.look()) await after(HEARTBEAT_MS)
      await onStep?.({ fleet })
      const blow = blowAt(label)
      if (blow === 'fail' && !label.startsWith('rollback')) throw lost(label)
      if (blow === 'die') {
        isDead = true
        process.engine.crash()
        return forever()
      }
      if (blow === 'sleep') {
        asleep = after(sleepMs)
        await asleep
        asleep = undefined
      }
    }
    const process = fleet.process({ delay, timers })
    return {
      engine: twin?.engine?.(process.engine) ?? process.engine,
      store: twin?.store?.(process.store) ?? process.store,
      worker: name,
      leaseMs: LEASE_MS,
      retries: 3,
      ...tools,
    }
  }
  const cutover = { batchSlots: 2, maxFreezeMs: 1_000 }
  const { change } = course
  const made = { ...bystander, ...tools, change, cutover, leaseMs: LEASE_MS }
  const job = await Reshard.create(made)
  const steerer = new Steerer(job, course)
  const watched = watch(job, steerer, () => after(10))
  const working = ['w1', 'w2'].map((name) => work(worker(name), timers))
  const isStuck = new Promise<'stuck'>((stop) => timers.setTimeout(() => stop('stuck'), STUCK_MS))
  const stuck = await Promise.race([watched, isStuck])
  if (stuck !== undefined) {
    const verdict = `${stuck}: ${JSON.stringify(await job.status())}`
    return { steps, verdict, acked: ledger.acked }
  }
  void working
  // Who sleeps must not do anything any more when it wakes.
  if (strikes.some(({ blow }) => blow === 'sleep')) await after(sleepMs)
  while (client !== undefined) await client
  await router.close()
  const { state } = await job.status()
  const verdict =
    fleet.ownerProblem() ??
    (await fleet.problem(ledger, timers)) ??
    (state === course.end ? undefined : `it is ${state}`) ??
    (await ownersProblem(fleet, map, course))
  return { steps, verdict, acked: ledger.acked }
}

/** Works on the job until it has ended, also after an error. */
async function work(
  tools: Parameters<typeof Reshard.open>[0],
  timers: VirtualTimers,
): Promise<void> {
  for (;;) {
    try {
      const job = await Reshard.open(tools)
      await job.run()
      return
    } catch (error) {
      if (error instanceof ShardError && error.code === 'INVALID_JOB') return
      if (!(error instanceof Error)) throw error
      await new Promise<void>((wake) => timers.setTimeout(wake, 20))
    }
  }
}

/** Wishes what the course says, each when its time has come. */
class Steerer {
  readonly #job: Reshard
  readonly #left: Course['wishes'][number][]

  constructor(job: Reshard, { wishes }: Course) {
    this.#job = job
    this.#left = [...wishes]
  }

  /** Whether it has just wished for something. */
  async look(): Promise<boolean> {
    const next = this.#left[0]
    if (next === undefined) return false
    const { state, direction } = await this.#job.status()
    if (state !== next.at || direction === 'back' || this.#left[0] !== next) return false
    this.#left.shift()
    await this.#job[next.wish]()
    return true
  }
}

/** Lets go on what has paused, until the job has ended; what is wrong if it never will. */
async function watch(
  job: Reshard,
  steerer: Steerer,
  wait: () => Promise<unknown>,
): Promise<string | undefined> {
  for (;;) {
    const { state, paused } = await job.status()
    if (isOver(state)) return undefined
    if (paused?.code === 'VERIFY_MISMATCH') return `verification: ${paused.message}`
    if (paused !== undefined) await job.resume().catch(Boolean)
    await steerer.look()
    await wait()
  }
}

async function ownersProblem(
  fleet: ReshardFleet,
  before: ShardMap,
  { change, end }: Course,
): Promise<string | undefined> {
  const wanted = end === 'done' ? before.change(change).next : before
  const map = ShardMap.fromJSON(await fleet.store.load())
  const slot = before.liveSlots().find((one) => map.ownerOf(one) !== wanted.ownerOf(one))
  if (slot !== undefined) return `slot ${slot} is on ${map.ownerOf(slot)}`
  const ids = ({ shards }: ShardMap) => JSON.stringify(shards)
  return ids(map) === ids(wanted) ? undefined : `the map has the shards ${ids(map)}`
}

function lost(label: string): ShardError {
  return new ShardError('UNREACHABLE', `lost: ${label}`)
}

function forever(): Promise<never> {
  return new Promise(() => {})
}

/** A small generator of numbers in [0, 1). */
function diceOf(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
