// What a resharding job is made with and worked on with, checked once, defaults filled in.

import type { Engine, ShardTx } from '../engine.ts'
import type { MapChange } from '../map-change.ts'
import type { MapStore } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import type { CaptureKind, SlotMover } from '../slot-mover.ts'
import { platformTimers, type Timers } from '../timers.ts'
import type { ReshardRules } from './reshard-body.ts'

/** What a change of the map can be that a job carries out. */
export type ReshardChange = Pick<MapChange, 'add' | 'remove' | 'weights' | 'moves' | 'factor'>

/** Bounds on how much a job may weigh on the databases. */
export interface ReshardThrottle {
  /** Rows copied, and later deleted, a second over all shards; default no bound. */
  readonly rowsPerS?: number | undefined
  /** Copying waits while a shard answers slower than this; default no bound. */
  readonly maxSourceP99Ms?: number | undefined
  /** Copying waits while a replica of a shard is further behind; default no bound. */
  readonly maxReplicaLagMs?: number | undefined
}

/** How slots are cut over. */
export interface ReshardCutover {
  /** Slots that are frozen and flipped at once, at most; default 256. */
  readonly batchSlots?: number | undefined
  /** How long a batch may be frozen before it is let go, to be tried again. Default 500 ms. */
  readonly maxFreezeMs?: number | undefined
  /**
   * `checksum` (default): every slot's checksums are compared before its batch is frozen. `full`:
   * and again within the freeze, when nothing can change; it makes freezes longer.
   */
  readonly verify?: 'checksum' | 'full' | undefined
  /** Cuts over as soon as it is ready. Default false: it waits for `cutover()`. */
  readonly auto?: boolean | undefined
}

/** What a worker needs. */
export interface ReshardTools<Tx extends ShardTx = ShardTx> {
  /** The databases, the new shards among them. Stays the caller's. */
  readonly engine: Engine<Tx>
  /** Where the map and the jobs are. Stays the caller's. */
  readonly store: MapStore
  /** Names the worker in the record of the job; default a random one. */
  readonly worker?: string | undefined
  /** How long the lease of a worker lasts that is not heard of. Default 3,000 ms. */
  readonly leaseMs?: number | undefined
  /** How often what may pass is tried again before the job pauses. Default 8. */
  readonly retries?: number | undefined
  /** Elapsed milliseconds; the platform's by default. */
  readonly monotonic?: (() => number) | undefined
  /** Wall clock in milliseconds; the platform's by default. */
  readonly now?: (() => number) | undefined
  /** A number in [0, 1); the platform's by default. */
  readonly random?: (() => number) | undefined
  /** Fills the array with random bytes, for ids; the platform's by default. */
  readonly randomBytes?: ((out: Uint8Array) => void) | undefined
  /** The platform's by default. */
  readonly timers?: Timers | undefined
  /** Whether the code at a label should misbehave now; for tests. */
  readonly buggify?: ((label: string) => boolean) | undefined
}

/** Options of {@link Reshard.plan}. */
export interface ReshardPlanOptions {
  readonly engine: Engine
  readonly store: MapStore
  readonly change: ReshardChange
  /** How changes are captured meanwhile; default the best that the engine has. */
  readonly capture?: CaptureKind | undefined
  readonly throttle?: ReshardThrottle | undefined
}

/** Options of {@link Reshard.create}. */
export interface ReshardOptions<Tx extends ShardTx = ShardTx> extends ReshardTools<Tx> {
  readonly change: ReshardChange
  readonly capture?: CaptureKind | undefined
  readonly throttle?: ReshardThrottle | undefined
  readonly cutover?: ReshardCutover | undefined
  /** SQL that makes the tables on shards that are new, as in `ShardRouter.open`. */
  readonly ddl?: readonly string[] | undefined
  /**
   * For how long it can be reversed after the cutover, in milliseconds; then it finishes by itself.
   * Default: until `finish()`.
   */
  readonly reversibleMs?: number | undefined
  /** How long the start of capture waits for older transactions. Default 30,000 ms. */
  readonly maxBarrierMs?: number | undefined
}

/** The tools, complete. */
export interface ToolSettings<Tx extends ShardTx = ShardTx> {
  readonly engine: Engine<Tx>
  readonly store: MapStore
  readonly worker: string
  readonly leaseMs: number
  readonly retries: number
  readonly monotonic: () => number
  readonly now: () => number
  readonly random: () => number
  readonly randomBytes: (out: Uint8Array) => void
  readonly timers: Timers
  readonly buggify: (label: string) => boolean
}

/** The tools of a worker on a resharding job. */
export interface ReshardSettings<Tx extends ShardTx = ShardTx> extends ToolSettings<Tx> {
  readonly mover: SlotMover
}

/**
 * Checks the tools of one who moves slots.
 *
 * @throws {ShardError} `UNSUPPORTED` for an engine that cannot move slots; `INVALID_OPTION`.
 */
export function reshardSettings<Tx extends ShardTx>(
  options: ReshardTools<Tx>,
): ReshardSettings<Tx> {
  return { ...toolSettings(options), mover: moverOf(options.engine) }
}

/**
 * Checks the tools.
 *
 * @throws {ShardError} `INVALID_OPTION`.
 */
export function toolSettings<Tx extends ShardTx>(options: ReshardTools<Tx>): ToolSettings<Tx> {
  const { engine, store, timers = platformTimers } = options
  const monotonic = options.monotonic ?? (() => performance.now())
  const random = options.random ?? Math.random
  const randomBytes = options.randomBytes ?? platformBytes.randomBytes
  const now = options.now ?? Date.now
  return {
    engine,
    store,
    worker: options.worker ?? newId(randomBytes),
    leaseMs: atLeast('leaseMs', options.leaseMs ?? 3_000, 100),
    retries: wholeNumber('retries', options.retries ?? 8, 0),
    monotonic,
    now,
    random,
    randomBytes,
    timers,
    buggify: options.buggify ?? (() => false),
  }
}

/** @throws {ShardError} `UNSUPPORTED`. */
export function moverOf(engine: Engine): SlotMover {
  if (engine.mover !== undefined) return engine.mover
  throw new ShardError('UNSUPPORTED', `the ${engine.kind} engine has no mover: it moves no slots`)
}

/**
 * The rules of a job from its options.
 *
 * @throws {ShardError} `INVALID_OPTION`.
 */
export function reshardRules(
  { captures }: SlotMover,
  options: Omit<ReshardOptions, keyof ReshardTools | 'change'>,
): ReshardRules {
  const { throttle = {}, cutover = {}, ddl = [], maxBarrierMs = 30_000, reversibleMs } = options
  const { verify = 'checksum', auto = false, batchSlots = 256, maxFreezeMs = 500 } = cutover
  if (verify !== 'checksum' && verify !== 'full') refuse('verify', 'checksum or full', verify)
  return {
    capture: captureOf(captures, options.capture),
    ddl: [...ddl],
    rowsPerS: bound('throttle.rowsPerS', throttle.rowsPerS),
    maxSourceP99Ms: bound('throttle.maxSourceP99Ms', throttle.maxSourceP99Ms),
    maxReplicaLagMs: bound('throttle.maxReplicaLagMs', throttle.maxReplicaLagMs),
    batchSlots: wholeNumber('cutover.batchSlots', batchSlots, 1),
    maxFreezeMs: atLeast('cutover.maxFreezeMs', maxFreezeMs, 1),
    maxBarrierMs: atLeast('maxBarrierMs', maxBarrierMs, 0),
    verify,
    auto,
    reversibleMs: reversibleMs === undefined ? undefined : atLeast('reversibleMs', reversibleMs, 0),
  }
}

/** The kind of capture that is asked for, or the engine's best. */
export function captureOf(
  captures: readonly CaptureKind[],
  wanted: CaptureKind | undefined,
): CaptureKind {
  const capture = wanted ?? captures[0]
  if (capture !== undefined && captures.includes(capture)) return capture
  return refuse('capture', captures.join(' or '), wanted)
}

const platformBytes: { readonly randomBytes: (out: Uint8Array) => void } = {
  randomBytes: (out) => crypto.getRandomValues(out as Uint8Array<ArrayBuffer>),
}

/** 64 random bits as hex digits: short enough for names that a job gives things in a database. */
export function newId(randomBytes: (out: Uint8Array) => void): string {
  const bytes = new Uint8Array(8)
  randomBytes(bytes)
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function bound(name: string, given: number | undefined): number | undefined {
  return given === undefined ? undefined : atLeast(name, given, Number.MIN_VALUE)
}

function wholeNumber(name: string, given: number, least: number): number {
  if (!Number.isSafeInteger(given)) refuse(name, `a whole number of at least ${least}`, given)
  return atLeast(name, given, least)
}

function atLeast(name: string, given: number, least: number): number {
  if (!(given >= least && given < Number.POSITIVE_INFINITY)) {
    const what = least === Number.MIN_VALUE ? 'a number above 0' : `a number of at least ${least}`
    refuse(name, what, given)
  }
  return given
}

function refuse(name: string, allowed: string, given: unknown): never {
  throw new ShardError('INVALID_OPTION', `${name} must be ${allowed}, got ${show(given)}`)
}
