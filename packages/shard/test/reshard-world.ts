// A simulated world in which two workers carry out a resharding job while clients read and write:
// workers crash, stand still and go on, shards restart, steps fail before and after their effect.
// What kind of job it is and how it is steered follows from the seed.

import type { Env, WorldSetup } from '@ashlar/sim'
import { isRefusedByFence } from '../src/distributed-commit.ts'
import type { Engine } from '../src/engine.ts'
import type { MapStore } from '../src/map-store.ts'
import type { MemoryEngine } from '../src/memory/index.ts'
import { Reshard, type ReshardChange } from '../src/reshard/index.ts'
import { ShardError } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { ReshardFleet, type WorkerTwin } from './reshard-fleet.ts'
import { Ledger } from './reshard-ledger.ts'
import { BOOKS, Teller } from './reshard-teller.ts'

const ACCOUNTS = Array.from({ length: 10 }, (_, i) => `account-${i}`)
const PINNED = ACCOUNTS.slice(0, 5)
const MARKED = ACCOUNTS.slice(5)

/** What a run is about. */
interface Story {
  readonly shards: readonly string[]
  readonly change: ReshardChange
  readonly batchSlots: number
  readonly verify: 'checksum' | 'full'
  /** What is wished for, one after the other. */
  readonly wishes: readonly Wish[]
  readonly end: 'done' | 'aborted'
}

type Wish = 'cutover' | 'reverse' | 'abort' | 'finish' | 'pause'

const STORIES: readonly Pick<Story, 'shards' | 'change'>[] = [
  { shards: ['a', 'b'], change: { add: ['c'] } },
  { shards: ['a', 'b', 'c'], change: { remove: ['b'] } },
  { shards: ['a', 'b', 'c'], change: { weights: { a: 4 } } },
  {
    shards: ['a', 'b', 'c'],
    change: {
      moves: [
        { slot: 0, to: 'b' },
        { slot: 1, to: 'c' },
        { slot: 2, to: 'a' },
        { slot: 3, to: 'c' },
        { slot: 4, to: 'b' },
        { slot: 5, to: 'a' },
      ],
    },
  },
]

const COURSES: readonly Pick<Story, 'wishes' | 'end'>[] = [
  { wishes: ['cutover', 'finish'], end: 'done' },
  { wishes: ['cutover', 'finish'], end: 'done' },
  { wishes: ['cutover', 'reverse', 'cutover', 'finish'], end: 'done' },
  { wishes: ['pause', 'cutover', 'pause', 'finish'], end: 'done' },
  { wishes: ['abort'], end: 'aborted' },
  { wishes: ['cutover', 'abort'], end: 'aborted' },
  { wishes: ['cutover', 'reverse', 'abort'], end: 'aborted' },
]

/** How a world differs from the usual. */
export interface WorldOptions {
  readonly twin?: WorkerTwin | undefined
  /** Odds that a step of a worker fails. Default 1 in 150. */
  readonly failing?: number
  readonly isPinning?: boolean
}

/** The world. */
export function reshardWorld({
  twin,
  failing = 1 / 150,
  isPinning = true,
}: WorldOptions = {}): WorldSetup {
  return (s) => {
    const dice = diceOf(s.seed)
    const story: Story = {
      ...pick(dice, STORIES),
      ...pick(dice, COURSES),
      batchSlots: 1 + Math.floor(dice() * 4),
      verify: dice() < 0.5 ? 'full' : 'checksum',
    }
    const map = ShardMap.create({ slots: 8, shards: story.shards, tables: BOOKS })
    const ledger = new Ledger()
    const clock = () => s.elapsedMs()
    const fleet = ReshardFleet.of(map, ['a', 'b', 'c'], clock)
    const engines = new Map<string, MemoryEngine>()
    let owners: ReshardFleet | undefined
    let verdict: string | undefined = 'never judged'
    let endedAtMs = Number.POSITIVE_INFINITY
    let working = 0
    const isOver = () => s.elapsedMs() > Math.min(s.horizonMs, endedAtMs + 40)
    const opened = async (env: Env, isFailing: boolean) => {
      // What the last process of this node left open has ended with it.
      engines.get(env.id)?.crash()
      owners = await fleet
      const process = owners.process({
        delay: () => env.sleep(env.random() * 1.5),
        buggify: (label) =>
          isFailing && !isOver() && !label.startsWith('rollback') && env.random() < failing,
        timers: env.timers,
      })
      engines.set(env.id, process.engine)
      return process
    }
    const tools = (env: Env) => {
      const { now, monotonic, random, randomBytes, timers } = env
      return { now, monotonic, random, randomBytes, timers }
    }
    for (const id of ['w1', 'w2']) {
      s.node(id, async (env) => {
        if (endedAtMs < Number.POSITIVE_INFINITY) return
        const { engine, store } = await opened(env, true)
        await worker(env, () => endedAtMs < Number.POSITIVE_INFINITY, {
          engine: twin?.engine?.(engine) ?? engine,
          store: twin?.store?.(store) ?? store,
          ...tools(env),
        })
      })
    }
    const client = async (env: Env, isMortal: boolean) => {
      const { engine, store } = await opened(env, false)
      const router = await ShardRouter.open({
        engine,
        store,
        ...tools(env),
        sweepMs: 60,
        inDoubtMs: 90,
      })
      const name = isMortal ? `${env.id}${env.incarnation}` : env.id
      const books = { ledger, accounts: ACCOUNTS, marked: MARKED }
      const teller = new Teller({ name, router, random: env.random, ...books })
      if (!isMortal) working += 1
      while (!isOver()) {
        await env.sleep(env.random() * 6)
        await teller.act()
      }
      await router.close()
      if (!isMortal) working -= 1
    }
    for (const id of ['t1', 't2']) s.client(id, (env) => client(env, false))
    s.node('t3', (env) => client(env, true))
    if (isPinning) {
      s.client('pinner', async (env) => {
        working += 1
        await pinner(env, await opened(env, false), isOver)
        working -= 1
      })
    }
    s.client('user', async (env) => {
      const { engine, store } = await opened(env, false)
      const { change, batchSlots, verify } = story
      const cutover = { batchSlots, verify, maxFreezeMs: 60 }
      await env.sleep(20)
      const options = { engine, store, change, cutover, leaseMs: 100, ...tools(env) }
      const job = await Reshard.create(options)
      const mismatch = await steer(env, job, story)
      endedAtMs = s.elapsedMs()
      await env.sleep(60)
      while (working > 0) await env.sleep(20)
      for (const other of engines.values()) other.crash()
      verdict = mismatch ?? (await (await fleet).problem(ledger, env.timers))
      const { state } = await job.status()
      if (state !== story.end) verdict ??= `the job is ${state}, not ${story.end}`
      verdict ??= await ownersProblem(await fleet, map, story)
    })
    s.invariant('no slot has two owners', () => owners?.ownerProblem() ?? true)
    s.invariant('what is read is right', () => ledger.problem ?? true)
    s.judge('all is there, once, where it should be', () => verdict ?? true)
    s.judge('no call gave up on a fence', () => {
      const codes = ['SHARD_MOVED', 'STALE_EPOCH', 'SHARD_FROZEN']
      const given = codes.filter((code) => ledger.refused.has(code))
      return given.length === 0 || `clients were refused: ${given.join(', ')}`
    })
    s.sometimes('a job ends', () => endedAtMs < Number.POSITIVE_INFINITY)
    s.sometimes('many writes are acknowledged', () => ledger.acked > 50)
  }
}

/** Carries the job on, whatever happens; and again, and again. */
async function worker(
  env: Env,
  isOver: () => boolean,
  tools: { engine: Engine; store: MapStore } & Partial<Parameters<typeof Reshard.open>[0]>,
): Promise<void> {
  while (!isOver()) {
    await env.sleep(5 + env.random() * 20)
    try {
      const job = await Reshard.open({ ...tools, worker: env.id, leaseMs: 100 })
      await job.run()
    } catch (error) {
      if (!(error instanceof ShardError)) throw error
      env.log(`worker ${env.id}: ${error.code} ${error.message}`)
    }
  }
}

/** Wishes for one thing after the other, when it can be, until the job has ended. */
async function steer(env: Env, job: Reshard, { wishes, end }: Story): Promise<string | undefined> {
  let next = 0
  while (!['done', 'aborted'].includes((await job.status()).state)) {
    await env.sleep(10 + env.random() * 120)
    const { state, direction, paused } = await job.status()
    if (paused?.code === 'VERIFY_MISMATCH') return paused.message
    if (paused !== undefined) await job.resume().catch(ignoreEnd)
    const wish = wishes[next]
    const isTime =
      wish === 'cutover'
        ? direction === 'forward' && state !== 'freezing'
        : wish === 'reverse'
          ? state === 'reversible' || state === 'freezing'
          : wish === 'finish'
            ? state === 'reversible'
            : true
    if (wish === undefined || !isTime || env.random() < 0.3) continue
    if (end === 'aborted' && state === 'cleaning') continue
    await job[wish]().then(() => next++, ignoreEnd)
  }
  return undefined
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof ShardError && error.code === 'INVALID_JOB')) throw error
}

/** Pins keys where they are, unpins them, and splits one. */
async function pinner(
  env: Env,
  { engine, store }: { engine: Engine; store: MapStore },
  isOver: () => boolean,
): Promise<void> {
  const { now, monotonic, random, randomBytes, timers } = env
  const tools = { now, monotonic, random, randomBytes, timers }
  // It stays when others have gone: what they left undecided is its to settle.
  const router = await ShardRouter.open({ engine, store, ...tools, sweepMs: 60, inDoubtMs: 90 })
  while (!isOver()) {
    await env.sleep(30 + env.random() * 120)
    const key = pick(env.random, PINNED)
    try {
      if (env.random() < 0.2) await router.split(key, router.map.parts(key).length + 1)
      else if (router.map.pinOf(key) === undefined) await router.pin(key, router.route(key).shard)
      else await router.unpin(key)
    } catch (error) {
      if (isRefusedByFence(error)) continue
      if (!(error instanceof ShardError)) throw error
      if (!['ROLLED_BACK', 'MAP_CONFLICT', 'CROSS_SHARD'].includes(error.code)) throw error
    }
  }
  // One that is still on its way would stay so for ever, and hold up a shard that leaves.
  for (const { key } of router.map.toJSON().pins) {
    for (let i = 0; i < 100 && router.map.pinOf(key) !== undefined; i++) {
      await router.unpin(key).catch(() => env.sleep(20))
      await router.refresh()
    }
  }
  await router.close()
}

/** Whether the map gives slots to those whom the change, or its abort, gives them to. */
async function ownersProblem(
  fleet: ReshardFleet,
  before: ShardMap,
  { change, end }: Story,
): Promise<string | undefined> {
  const wanted = end === 'done' ? before.change(change).next : before
  const map = ShardMap.fromJSON(await fleet.store.load())
  const slot = before.liveSlots().find((one) => map.ownerOf(one) !== wanted.ownerOf(one))
  if (slot !== undefined) return `slot ${slot} is on ${map.ownerOf(slot)}`
  const ids = ({ shards }: ShardMap) => JSON.stringify(shards)
  return ids(map) === ids(wanted) ? undefined : `the map has the shards ${ids(map)}`
}

function pick<T>(dice: () => number, list: readonly T[]): T {
  return list[Math.floor(dice() * list.length)]!
}

/** A small generator, apart from those of the world: what a run is about follows from the seed. */
function diceOf(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
