// A fleet in memory, in virtual time: three shards and one more to come, clients that write and
// read through a router, and workers on the job, each with handles of its own that die with it.

import { by, ShardMap, ShardRouter } from '@ashlar/shard'
import { MemoryDatabase, MemoryEngine, MemoryMapStore } from '@ashlar/shard/memory'
import { Reshard, type ReshardPlan, type ReshardProgress } from '@ashlar/shard/reshard'
import { diceOf } from '../../atlas/src/dice.ts'
import { ReshardCrowd, ROWS } from './reshard-crowd.ts'
import { VirtualTime } from './virtual-time.ts'

/** The shards, the last of which joins; a shard's place is its colour. */
export const SHARDS = ['oak', 'ash', 'elm', 'fir'] as const

/** Slots of the map: fewer than by default, so that each can be seen. */
export const SLOTS = 512

/** Slots that are frozen and flipped at once. */
export const BATCH_SLOTS = 16

/** What users can ask of the job. */
export type JobWish = 'reverse' | 'finish' | 'abort'

/** A slot as it is drawn. */
export interface SlotView {
  /** The shard that owns it. */
  readonly owner: number
  /** Where it is to go, or undefined. */
  readonly to: number | undefined
  readonly isCopied: boolean
  readonly isFrozen: boolean
}

/** All that there is to draw. */
export interface WorldView {
  readonly slots: readonly SlotView[]
  readonly rows: readonly number[]
  readonly progress: ReshardProgress | undefined
  readonly worker: string | undefined
  readonly epoch: number
  /** Acknowledged writes that are not where their keys lie, looked for while nothing is frozen. */
  readonly lost: number
  /** How long operations took that ended since the last look, in milliseconds. */
  readonly took: readonly number[]
  /** How long the operation has waited that waits for longest. */
  readonly oldestMs: number
}

/** A step of an engine takes so long, there and back. */
const STEP_MS = 4
const LEASE_MS = 600
const EPOCH_MS = Date.UTC(2026, 0, 5)

interface Worker {
  readonly name: string
  readonly engine: MemoryEngine
  readonly store: MemoryMapStore
}

/** Time and chance, as every part of the fleet takes them. */
type WorldTools = ReturnType<typeof toolsOf>

/** The fleet. */
export class ReshardWorld {
  readonly time = new VirtualTime()
  crowd!: ReshardCrowd
  readonly #databases: Record<string, MemoryDatabase> = {}
  readonly #tools: WorldTools
  readonly #store: MemoryMapStore
  /** Sees everything at once: for drawing, not for the fleet. */
  readonly #glass: MemoryEngine
  #router!: ShardRouter
  #plan: ReshardPlan | undefined
  #job: Reshard | undefined
  #worker: Worker | undefined
  #hired = 0
  #lost = 0
  #isDoomed = false

  private constructor(seed: number) {
    this.#tools = toolsOf(this.time, seed)
    for (const shard of SHARDS) this.#databases[shard] = new MemoryDatabase(this.#tools)
    this.#store = new MemoryMapStore(this.#tools)
    this.#glass = new MemoryEngine({ ...this.#tools, shards: this.#databases })
  }

  /** A fleet of three shards with its rows. */
  static async open(seed: number): Promise<ReshardWorld> {
    const world = new ReshardWorld(seed)
    const map = ShardMap.create({
      shards: SHARDS.slice(0, 3),
      slots: SLOTS,
      tables: { users: by('id', { primaryKey: ['id'] }) },
    })
    const { engine, store } = world.#handles()
    const opening = ShardRouter.open({ ...world.#tools, engine, store, map, sweepMs: 0 })
    await world.time.pass(1_000)
    world.#router = await opening
    world.crowd = new ReshardCrowd(world.#router, seed, world.time.now)
    const filling = world.crowd.fill()
    await world.time.pass(2_000)
    await filling
    return world
  }

  /** Makes the job that adds the fourth shard, and sets a worker to it. */
  async start(): Promise<void> {
    if (this.#job !== undefined) return
    const { engine, store } = this.#handles()
    const options = { ...this.#tools, engine: this.#glass, store, change: { add: ['fir'] } }
    this.#plan = await Reshard.plan(options)
    this.#job = await Reshard.create({
      ...options,
      throttle: { rowsPerS: 70 },
      cutover: { auto: true, batchSlots: BATCH_SLOTS, maxFreezeMs: 400 },
    })
    await engine.close()
    await this.hire()
  }

  /** Another worker takes the job on. */
  async hire(): Promise<void> {
    if (this.#job === undefined || this.#worker !== undefined) return
    const worker = { name: `worker ${++this.#hired}`, ...this.#handles() }
    this.#worker = worker
    const job = await Reshard.open({
      ...this.#tools,
      ...worker,
      worker: worker.name,
      leaseMs: LEASE_MS,
      id: this.#job.id,
    })
    const leave = (): void => {
      if (this.#worker === worker) this.#worker = undefined
    }
    job.run().then(leave, leave)
  }

  /** The worker dies, and with it all that it had open; nobody is told. */
  async crash(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await Promise.all([worker?.engine.close(), worker?.store.close()])
  }

  /** The worker dies once slots are frozen: its clients then wait for another. */
  crashInFreeze(): void {
    this.#isDoomed = true
  }

  /** Asks something of the job; what it refuses is left undone. */
  async wish(wish: JobWish): Promise<void> {
    await this.#job?.[wish]().catch(() => undefined)
  }

  /** What there is to see now. */
  async look(): Promise<WorldView> {
    const progress = await this.#job?.status()
    const fences = SHARDS.map((shard) => this.#databases[shard]!.fences)
    const destinations = await this.#destinations(progress)
    const map = ShardMap.fromJSON(await this.#store.load())
    const slots = Array.from({ length: SLOTS }, (_, slot): SlotView => {
      const owner = SHARDS.indexOf(map.ownerOf(slot) as 'oak')
      const destination = destinations.get(slot)
      const isFrozen = fences.some((of) => {
        const state = of.get(slot)?.state
        return state === 'frozen'
      })
      return { owner, to: destination?.to, isCopied: destination?.isCopied ?? false, isFrozen }
    })
    if (this.#isDoomed && slots.some(({ isFrozen }) => isFrozen)) {
      this.#isDoomed = false
      await this.crash()
    }
    const rows = this.#rows()
    if (!slots.some(({ isFrozen }) => isFrozen)) this.#lost = this.#missing(map, rows)
    return {
      slots,
      rows: rows.map((of) => of.size),
      progress,
      worker: this.#worker?.name,
      epoch: map.epoch,
      lost: this.#lost,
      took: this.crowd.takeTook(),
      oldestMs: this.crowd.oldestMs,
    }
  }

  close(): void {
    this.time.close()
  }

  /** Where slots are to go, and which have been copied there: as the target itself notes it. */
  async #destinations(
    progress: ReshardProgress | undefined,
  ): Promise<ReadonlyMap<number, { readonly to: number; readonly isCopied: boolean }>> {
    const found = new Map<number, { readonly to: number; readonly isCopied: boolean }>()
    if (progress === undefined || this.#plan === undefined) return found
    const isOver = progress.state === 'done' || progress.state === 'aborted'
    for (const { from, to, slots } of isOver ? [] : this.#plan.pairs) {
      const known = await this.#glass.mover.position(from, to, progress.id).catch(() => 0)
      const copied = progress.state === 'cleaning' ? slots.length : known
      for (const [at, slot] of slots.entries()) {
        found.set(slot, { to: SHARDS.indexOf(to as 'oak'), isCopied: at < copied })
      }
    }
    return found
  }

  /** The rows of each shard, also of slots that it does not own (yet, or any more). */
  #rows(): ReadonlyMap<string, number>[] {
    return SHARDS.map((shard) => {
      const { tables, commit } = this.#databases[shard]!
      const rows = [...(tables.get('users')?.versions.all(commit) ?? [])]
      return new Map(rows.map(([, { values }]) => [String(values.id), Number(values.value)]))
    })
  }

  #missing(map: ShardMap, rows: readonly ReadonlyMap<string, number>[]): number {
    let missing = ROWS - this.crowd.acknowledged.size
    for (const [key, value] of this.crowd.acknowledged) {
      const owner = SHARDS.indexOf(map.route(key, 'users').shard as 'oak')
      if ((rows[owner]!.get(key) ?? -1) < value) missing++
    }
    return missing
  }

  #handles(): { readonly engine: MemoryEngine; readonly store: MemoryMapStore } {
    const delay = (): Promise<void> => this.time.sleep(STEP_MS)
    const engine = new MemoryEngine({
      ...this.#tools,
      shards: this.#databases,
      delay,
      unitRows: 6,
    })
    return { engine, store: this.#store.connect() }
  }
}

function toolsOf(time: VirtualTime, seed: number) {
  const roll = diceOf(seed * 211 + 4)
  return {
    now: () => EPOCH_MS + time.now(),
    monotonic: time.now,
    timers: time.timers,
    random: roll,
    randomBytes: (out: Uint8Array): void => {
      for (let i = 0; i < out.length; i++) out[i] = Math.floor(roll() * 256)
    },
  }
}
