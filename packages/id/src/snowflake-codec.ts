// Reads and builds the ids of one layout, without a clock or a worker:
//
//   id = tick · 2^S + worker · 2^W + sequence · 2^Q     S: all bits below the time
//   worker-sequence: W = sequence bits, Q = 0     sequence-worker: W = 0, Q = worker bits
//
// Fields are cut from two 32-bit words; a worker field may lie across both.

import { describe, IdError } from './id-error.ts'
import {
  type AnyId,
  HIGH,
  joinWords,
  LOW,
  loadBigInt,
  loadDecimal,
  loaded,
  loadId,
  refuseId,
} from './id-words.ts'
import { bitsOf, checkLayout, type Layout, tickOf } from './layout.ts'

/** What an id says. */
export interface SnowflakeParts {
  /** Start of the id's tick, in milliseconds since 1970. */
  readonly timestamp: number
  /** Upper part of the worker field; there if the layout addresses it separately. */
  readonly datacenterId?: number
  /** Who made the id. */
  readonly workerId: number
  /** Which of the ids of that worker and tick it is, from 0. */
  readonly sequence: number
}

/**
 * The ids of one layout, read and built. A {@link Snowflake} has the same four methods; this class
 * is for those who read ids that others make.
 *
 * @example
 * new SnowflakeCodec(layouts.discord).decode('175928847299117063').timestamp // 1462015105796
 */
export class SnowflakeCodec {
  readonly layout: Layout
  /** Bits below the time. */
  readonly shift: number
  /** Distance from one sequence number to the next: 1, or 2^worker bits. */
  readonly stride: number
  readonly maxSequence: number
  readonly maxTick: number
  readonly #workerUnit: number
  readonly #workerShift: number
  readonly #sequenceShift: number
  readonly #datacenterBits: number
  /** Whether all bits below the time lie in the low word, as in every layout of layouts.ts. */
  readonly #isNarrow: boolean
  readonly #epoch: number
  readonly #unitMs: number
  readonly #workerMask: number
  readonly #datacenterShift: number
  readonly #datacenterMask: number
  /** What a unit of the high word is in ticks: a fraction where the time ends above it. */
  readonly #highUnit: number

  /** @throws IdError INVALID_LAYOUT if the layout does not add up. */
  constructor(layout: Layout) {
    this.layout = checkLayout(layout)
    const { datacenterBits = 0, workerBits, sequenceBits } = layout
    const below = datacenterBits + workerBits
    this.#datacenterBits = datacenterBits
    this.#workerShift = layout.order === 'sequence-worker' ? 0 : sequenceBits
    this.#sequenceShift = layout.order === 'sequence-worker' ? below : 0
    this.#workerUnit = 2 ** this.#workerShift
    this.shift = below + sequenceBits
    this.#isNarrow = this.shift < 32
    this.#epoch = layout.epoch
    this.#unitMs = layout.unitMs
    this.#datacenterShift = this.#workerShift + workerBits
    this.#workerMask = 2 ** workerBits - 1
    this.#datacenterMask = 2 ** datacenterBits - 1
    this.#highUnit = 2 ** (32 - this.shift)
    this.stride = 2 ** this.#sequenceShift
    this.maxSequence = 2 ** sequenceBits - 1
    this.maxTick = 2 ** layout.timeBits - 1
  }

  /**
   * What the id says. Bigint, decimal text, safe integer or `{ low, high }`; ids with the sign bit
   * set also as negative numbers.
   *
   * @throws IdError INVALID_ID if it is no 64-bit integer or has bits above the layout's.
   */
  decode(id: AnyId): SnowflakeParts {
    const timestamp = this.#loadTick(id) * this.#unitMs + this.#epoch
    const lo = loaded[LOW]!
    if (!this.#isNarrow) return this.#decodeWide(timestamp, loaded[HIGH]!, lo)
    const sequence = (lo >>> this.#sequenceShift) & this.maxSequence
    const workerId = (lo >>> this.#workerShift) & this.#workerMask
    if (this.#datacenterMask === 0) return { timestamp, workerId, sequence }
    const datacenterId = (lo >>> this.#datacenterShift) & this.#datacenterMask
    return { timestamp, datacenterId, workerId, sequence }
  }

  /**
   * The id of these parts, the inverse of {@link decode}. Ids that are composed by hand are unique
   * only if somebody sees to it.
   *
   * @throws IdError BEFORE_EPOCH, EPOCH_OVERFLOW, INVALID_WORKER or INVALID_ID by the part that is
   *   out of range.
   */
  compose(parts: {
    readonly timestamp: number
    readonly datacenterId?: number
    readonly workerId: number
    readonly sequence?: number
  }): bigint {
    const { timestamp, datacenterId, workerId, sequence = 0 } = parts
    const rest = this.workerPart(workerId, datacenterId)
    if (!(Number.isInteger(sequence) && sequence >= 0 && sequence <= this.maxSequence)) {
      throw new IdError(
        'INVALID_ID',
        `sequence must be an integer from 0 to ${this.maxSequence}, got ${describe(sequence)}`,
      )
    }
    return this.#join(this.#tickAt(timestamp), rest + sequence * this.stride)
  }

  /**
   * The lowest id of the tick that holds this time: `id >= firstAt(ms)` asks for all ids since.
   *
   * @throws IdError BEFORE_EPOCH or EPOCH_OVERFLOW if the layout has no such time.
   */
  firstAt(unixMs: number): bigint {
    return this.#join(this.#tickAt(unixMs), 0)
  }

  /**
   * The highest id of the tick that holds this time; throws as {@link firstAt}.
   *
   * @param unixMs milliseconds since 1970
   */
  lastAt(unixMs: number): bigint {
    return this.#join(this.#tickAt(unixMs), 2 ** this.shift - 1)
  }

  /**
   * The bits of a worker below the time, checked: what all its ids have in common.
   *
   * @throws IdError INVALID_WORKER for a part out of its range.
   */
  workerPart(workerId: number, datacenterId?: number): number {
    const { workerBits } = this.layout
    requireWorker('workerId', workerId, workerBits)
    if (datacenterId === undefined) return workerId * this.#workerUnit
    requireWorker('datacenterId', datacenterId, this.#datacenterBits)
    return (datacenterId * 2 ** workerBits + workerId) * this.#workerUnit
  }

  /** Tick, whole worker field and sequence of an id. */
  fieldsOf(id: AnyId): { tick: number; worker: number; sequence: number } {
    const tick = this.#loadTick(id)
    const hi = loaded[HIGH]!
    const lo = loaded[LOW]!
    const worker = cut(hi, lo, this.#workerShift, this.layout.workerBits + this.#datacenterBits)
    return { tick, worker, sequence: cut(hi, lo, this.#sequenceShift, this.layout.sequenceBits) }
  }

  #decodeWide(timestamp: number, hi: number, lo: number): SnowflakeParts {
    const { workerBits, sequenceBits } = this.layout
    const workerId = cut(hi, lo, this.#workerShift, workerBits)
    const sequence = cut(hi, lo, this.#sequenceShift, sequenceBits)
    if (this.#datacenterBits === 0) return { timestamp, workerId, sequence }
    const datacenterId = cut(hi, lo, this.#datacenterShift, this.#datacenterBits)
    return { timestamp, datacenterId, workerId, sequence }
  }

  /** Loads the words of an id, and returns its tick. */
  #loadTick(id: AnyId): number {
    // The usual forms by themselves, since only what is small is inlined.
    if (typeof id === 'bigint') loadBigInt(id)
    else if (typeof id === 'string') loadDecimal(id)
    else loadId(id)
    const hi = loaded[HIGH]!
    const { shift } = this
    const tick = shift < 32 ? hi * this.#highUnit + (loaded[LOW]! >>> shift) : hi >>> (shift - 32)
    if (tick > this.maxTick) this.#refuseWide(id)
    return tick
  }

  #tickAt(unixMs: number): number {
    const tick = tickOf(this.layout, unixMs)
    if (tick >= 0 && tick <= this.maxTick) return tick
    throw tick > this.maxTick ? overflow(this.layout, unixMs) : beforeEpoch(this.layout, unixMs)
  }

  /** `rest` is below 2^53, since the bits below the time are 64 at most and the time has some. */
  #join(tick: number, rest: number): bigint {
    const scaled = tick * 2 ** (this.shift - 32)
    const hi = Math.floor(scaled)
    const restHi = Math.floor(rest / 2 ** 32)
    return joinWords(hi + restHi, (scaled - hi) * 2 ** 32 + (rest - restHi * 2 ** 32))
  }

  #refuseWide(id: AnyId): never {
    refuseId(`${String(id)} (more than the ${bitsOf(this.layout)} bits of the layout)`)
  }
}

/** The error for a time after the last tick of the layout. */
export function overflow(layout: Layout, unixMs: number): IdError {
  return new IdError(
    'EPOCH_OVERFLOW',
    `${layout.timeBits} bits of ${layout.unitMs} ms since ${layout.epoch} do not reach ` +
      `${unixMs}: choose a later epoch or more time bits for new ids`,
  )
}

/** The error for a time before the layout's epoch, or none at all. */
export function beforeEpoch(layout: Layout, unixMs: number): IdError {
  return new IdError(
    'BEFORE_EPOCH',
    `the time must be milliseconds since 1970 from the epoch ${layout.epoch} on, got ` +
      `${describe(unixMs)}: mend the clock or the epoch`,
  )
}

function requireWorker(name: string, given: number, bits: number): void {
  if (Number.isInteger(given) && given >= 0 && given < 2 ** bits) return
  throw new IdError(
    'INVALID_WORKER',
    `${name} must be an integer from 0 to ${2 ** bits - 1}, got ${describe(given)}`,
  )
}

/** `bits` bits from bit `at` of the two words. */
function cut(hi: number, lo: number, at: number, bits: number): number {
  if (bits === 0) return 0
  const mask = 0xffffffff >>> (32 - bits)
  if (at >= 32) return ((hi >>> (at - 32)) & mask) >>> 0
  if (at + bits <= 32) return ((lo >>> at) & mask) >>> 0
  const low = 32 - at
  return (lo >>> at) + (hi & (mask >>> low)) * 2 ** low
}
