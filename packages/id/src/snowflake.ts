// Snowflake ids: time, worker and sequence in 64 bits (see layout.ts), strictly increasing.
//
//   reading ──► tick > last ............ (tick, 0)
//               tick ≤ last, room ...... (last, sequence + 1)
//               tick ≤ last, full ...... (last + 1, 0)   within maxLeadMs, else it throws
//
// Invariant: (tick, sequence) only grows, whatever the clock reads, and a call that throws has
// changed nothing. Time that goes back is held at the last tick; time that is used up is borrowed.

import { base32OfWords } from './base32.ts'
import { IdError, requireAtLeast, requireInteger } from './id-error.ts'
import { type AnyId, HIGH, LOW, type LongLike, type WordPair } from './id-words.ts'
import { bitsOf, type Layout, tickOf } from './layout.ts'
import { beforeEpoch, overflow, SnowflakeCodec, type SnowflakeParts } from './snowflake-codec.ts'
import { type SnowflakeOptions, settle } from './snowflake-options.ts'
import { clockBackwards, notOwn, notSafe, sequenceExhausted } from './snowflake-refusal.ts'
import { sleep, type Timers } from './timers.ts'
import type { TickLease } from './worker-lease.ts'

/** Where a generator stands. */
export interface SnowflakeState {
  /** Tick of the last id, or the tick before the first one that may be used. */
  readonly lastTick: number
  /** Sequence number of the last id. */
  readonly sequence: number
}

/**
 * A generator of Snowflake ids.
 *
 * Unique as long as no two generators with the same worker id use the same tick. A lease sees to
 * that by itself; with a fixed `workerId`, only one process may have it at a time, and one that
 * restarts within `maxHoldMs + maxLeadMs` needs {@link reserve} and `floorTick`.
 *
 * On the bad day: when the clock goes back, ids stay at the last tick for up to `maxHoldMs`, then
 * throw CLOCK_BACKWARDS; when a tick is full, ids borrow from the next ones for up to `maxLeadMs`,
 * then throw SEQUENCE_EXHAUSTED. Both carry `waitMs`. No method spins or repeats an id.
 *
 * @example
 * const ids = new Snowflake({ workerId: 7 })
 * ids.nextString() // '361184538017898496'
 */
export class Snowflake {
  readonly #codec: SnowflakeCodec
  readonly #layout: Layout
  readonly #now: () => number
  readonly #timers: Timers
  readonly #lease: TickLease | undefined
  readonly #maxHoldTicks: number
  readonly #maxLeadTicks: number
  readonly #bits: number
  /** The last id, as words and as what they make. */
  readonly #words: Uint32Array
  readonly #joined: BigUint64Array
  readonly #stride: number
  /** From the first to the last low word of a tick. */
  readonly #span: number
  readonly #scale: number
  readonly #worker: number
  readonly #workerHi: number
  readonly #workerLo: number
  /** The last low word of this tick. */
  #end = 0
  #tick: number
  /** The highest tick that the clock, a lease, a floor or an observed id has shown. */
  #seen: number
  /** The reading for which the next sequence number of this tick needs no look at anything else. */
  #reading: number = Number.NaN
  /** The first tick that is not reserved. */
  #reserved: number = Number.POSITIVE_INFINITY
  #saving: Promise<void> = Promise.resolve()
  #isStopped = false

  /** @throws IdError INVALID_LAYOUT, INVALID_WORKER or INVALID_OPTION. */
  constructor(options: SnowflakeOptions) {
    const settings = settle(options)
    const codec = new SnowflakeCodec(settings.layout)
    const part = codec.workerPart(settings.workerId, settings.datacenterId)
    this.#codec = codec
    this.#layout = settings.layout
    this.#now = settings.now
    this.#timers = settings.timers
    this.#lease = settings.lease
    this.#maxHoldTicks = settings.maxHoldTicks
    this.#maxLeadTicks = settings.maxLeadTicks
    this.#bits = bitsOf(settings.layout)
    this.#words = new Uint32Array(2)
    this.#joined = new BigUint64Array(this.#words.buffer)
    this.#stride = codec.stride
    this.#span = codec.maxSequence * codec.stride
    this.#scale = 2 ** (codec.shift - 32)
    this.#worker = settings.workerId + (settings.datacenterId ?? 0) * 2 ** codec.layout.workerBits
    this.#workerHi = Math.floor(part / 2 ** 32)
    this.#workerLo = part - this.#workerHi * 2 ** 32
    this.#tick = settings.floorTick - 1
    this.#seen = settings.floorTick
    settings.lease?.claim(() => this.#stop())
  }

  get layout(): Layout {
    return this.#layout
  }

  /**
   * The next id. One clock reading, no allocation but the bigint.
   *
   * @throws IdError CLOCK_BACKWARDS, SEQUENCE_EXHAUSTED, EPOCH_OVERFLOW, BEFORE_EPOCH, LEASE_LOST,
   *   or NOT_READY if {@link reserve} has to be called again; the state is then as before.
   */
  next(): bigint {
    this.#step(this.#now())
    return this.#joined[0]!
  }

  /** The next id as decimal text: for JSON, whose numbers end at 2^53. Throws as {@link next}. */
  nextString(): string {
    this.#step(this.#now())
    return this.#joined[0]!.toString()
  }

  /**
   * The next id as a number, for layouts of at most 53 bits like `layouts.safeInteger`.
   * @throws IdError INVALID_LAYOUT if the layout has more bits, and as {@link next}.
   */
  nextNumber(): number {
    if (this.#bits > 53) throw notSafe(this.#bits)
    this.#step(this.#now())
    return this.#words[HIGH]! * 4294967296 + this.#words[LOW]!
  }

  /**
   * The next id as two signed halves, as protobufjs and the package long have them. The safe way
   * into protobufjs, which silently writes 0 for a bigint. Throws as {@link next}.
   */
  nextLong(): LongLike {
    this.#step(this.#now())
    const words = this.#words
    return { low: words[LOW]! | 0, high: words[HIGH]! | 0, unsigned: this.#bits === 64 }
  }

  /** The next id in Crockford's base 32: 13 characters that sort as the ids do. */
  nextBase32(): string {
    this.#step(this.#now())
    return base32OfWords(this.#words[HIGH]!, this.#words[LOW]!)
  }

  /**
   * Writes the next id as two words; allocates nothing. Throws as {@link next}.
   * @param out where the two halves go
   */
  nextInto(out: WordPair): void {
    this.#step(this.#now())
    out.hi = this.#words[HIGH]!
    out.lo = this.#words[LOW]!
  }

  /**
   * Fills the array with the next ids, at one clock reading. All or nothing: if there are not
   * enough, it throws as {@link next} does, the array is zero and the state as before.
   * @param out filled to its end
   */
  fill(out: BigUint64Array): BigUint64Array {
    const reading = this.#now()
    const kept = { reading: this.#reading, end: this.#end, tick: this.#tick, seen: this.#seen }
    const last = this.#joined[0]!
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length * 2)
    try {
      for (let at = 0; at < out.length; ) at = this.#fillTick(out, words, at, reading)
    } catch (error) {
      this.#reading = kept.reading
      this.#end = kept.end
      this.#tick = kept.tick
      this.#seen = kept.seen
      this.#joined[0] = last
      out.fill(0n)
      throw error
    }
    return out
  }

  /**
   * The next `count` ids at one clock reading; all or nothing, as {@link fill}.
   *
   * @throws IdError as {@link next}, and INVALID_OPTION for a bad count.
   */
  many(count: number): bigint[] {
    requireInteger('count', count, 0, 2 ** 24)
    return Array.from(this.fill(new BigUint64Array(count)))
  }

  /**
   * The next id, after waiting where {@link next} would throw an error with `waitMs`.
   *
   * @throws IdError where waiting does not help, or the signal's reason.
   */
  async nextAsync(options: { readonly signal?: AbortSignal } = {}): Promise<bigint> {
    for (;;) {
      options.signal?.throwIfAborted()
      try {
        return this.next()
      } catch (error) {
        if (!(error instanceof IdError) || error.waitMs === undefined) throw error
        // In parts: the clock may be set right, or the lease renewed, before the wait is over.
        await sleep(this.#timers, Math.min(error.waitMs, 1000), options.signal)
      }
    }
  }

  /**
   * Makes the next id greater than one seen from elsewhere, so that ids follow cause and effect
   * across workers with different clocks. An id ahead of the clock is then held like a clock that
   * went back.
   *
   * @throws IdError INVALID_ID if it is not an id of the layout; CLOCK_BACKWARDS if it is more than
   *   `maxHoldMs` ahead of the clock, since following it would stop this generator.
   */
  observe(id: AnyId): void {
    const { tick, worker, sequence } = this.#codec.fieldsOf(id)
    const reading = this.#now()
    const ahead = tick - tickOf(this.#layout, reading)
    if (!(ahead <= this.#maxHoldTicks)) {
      const waitMs = this.#untilTick(tick - this.#maxHoldTicks, reading)
      throw clockBackwards(this.#layout, ahead, waitMs)
    }
    this.#raise(tick, this.#passed(worker, sequence))
  }

  /**
   * Keeps ids below a tick that has been saved, so that a restart can begin there: persist what
   * `save` is given, and make the next generator with it as `floorTick`. Call it before the first
   * id and again well before `ms` have passed; past the saved tick ids throw NOT_READY.
   *
   * With `ms` up to `maxHoldMs` a quick restart goes on at once, holding at the floor.
   *
   * @param ms how far ahead of the clock ids may go, in milliseconds
   * @throws what `save` throws; then only what was saved before may be used.
   *
   * @example
   * await ids.reserve(5000, (floorTick) => writeFile('floor', String(floorTick)))
   */
  reserve(ms: number, save: (floorTick: number) => void | Promise<void>): Promise<void> {
    if (this.#reserved === Number.POSITIVE_INFINITY) this.#limit(0)
    const saved = this.#saving.then(() => this.#reserve(ms, save))
    this.#saving = saved.catch(() => {})
    return saved
  }

  /** Where the generator stands. */
  state(): SnowflakeState {
    return { lastTick: this.#tick, sequence: this.#sequence() }
  }

  /**
   * See {@link SnowflakeCodec.decode}.
   * @param id as a bigint, a string of digits, or bytes
   */
  decode(id: AnyId): SnowflakeParts {
    return this.#codec.decode(id)
  }

  /**
   * See {@link SnowflakeCodec.compose}.
   * @param parts as {@link decode} gives them
   */
  compose(parts: Parameters<SnowflakeCodec['compose']>[0]): bigint {
    return this.#codec.compose(parts)
  }

  /**
   * See {@link SnowflakeCodec.firstAt}.
   * @param unixMs milliseconds since 1970
   */
  firstAt(unixMs: number): bigint {
    return this.#codec.firstAt(unixMs)
  }

  /**
   * See {@link SnowflakeCodec.lastAt}.
   * @param unixMs milliseconds since 1970
   */
  lastAt(unixMs: number): bigint {
    return this.#codec.lastAt(unixMs)
  }

  /** Moves to the next id; the usual case needs two compares and an addition. */
  #step(reading: number): void {
    const low = this.#words[LOW]!
    if (reading === this.#reading && low < this.#end) this.#words[LOW] = low + this.#stride
    else this.#turn(reading)
  }

  #turn(reading: number): void {
    const tick = tickOf(this.#layout, reading)
    if (!(tick >= 0)) throw beforeEpoch(this.#layout, reading)
    let next = tick
    if (tick <= this.#tick) {
      next = this.#words[LOW]! < this.#end ? this.#tick : this.#tick + 1
      const behind = this.#seen - tick
      const lead = next - Math.max(this.#seen, tick)
      if (behind > this.#maxHoldTicks || lead > this.#maxLeadTicks) {
        throw this.#refusal(behind, lead, next, reading)
      }
    }
    if (next > this.#codec.maxTick) throw overflow(this.#layout, reading)
    if (next >= this.#reserved || (this.#lease && next >= this.#lease.untilTick)) {
      throw notOwn(next, this.#lease, this.#isStopped)
    }
    if (next === this.#tick) this.#words[LOW]! += this.#stride
    else this.#enter(next)
    if (tick > this.#seen) this.#seen = tick
    this.#reading = reading
  }

  #refusal(behind: number, lead: number, next: number, reading: number): IdError {
    const isFull = lead > this.#maxLeadTicks
    const held = this.#seen - this.#maxHoldTicks
    // A clock that is back but finds its tick full would be refused again: wait for both.
    const awaited = isFull ? Math.max(held, next - this.#maxLeadTicks) : held
    const waitMs = this.#untilTick(awaited, reading)
    return behind > this.#maxHoldTicks
      ? clockBackwards(this.#layout, behind, waitMs)
      : sequenceExhausted(this.#layout, lead, waitMs)
  }

  #enter(tick: number): void {
    const scaled = tick * this.#scale
    const hi = Math.floor(scaled)
    const low = (scaled - hi) * 4294967296 + this.#workerLo
    this.#words[HIGH] = hi + this.#workerHi
    this.#words[LOW] = low
    this.#end = low + this.#span
    this.#tick = tick
  }

  /** Writes what this tick still holds, up to the end of the array; returns where it stopped. */
  #fillTick(out: BigUint64Array, words: Uint32Array, start: number, reading: number): number {
    this.#step(reading)
    const stride = this.#stride
    const first = this.#words[LOW]!
    const more = Math.min((this.#end - first) / stride, out.length - start - 1)
    const stop = start + more + 1
    // The high words, which are alike, all at once; then the low ones as signed integers, whose
    // bits the array takes: as doubles they would cost twice the time.
    out.fill(this.#joined[0]!, start, stop)
    let low = first | 0
    for (let at = start * 2 + LOW; at < stop * 2; at += 2) {
      words[at] = low
      low = (low + stride) | 0
    }
    this.#words[LOW] = low - stride
    return stop
  }

  #sequence(): number {
    return this.#codec.maxSequence - (this.#end - this.#words[LOW]!) / this.#stride
  }

  /** The highest sequence number of ours whose id in the same tick is not above the one seen. */
  #passed(worker: number, sequence: number): number {
    if (this.#layout.order === 'sequence-worker') return sequence - (worker < this.#worker ? 1 : 0)
    if (worker === this.#worker) return sequence
    return worker < this.#worker ? -1 : this.#codec.maxSequence
  }

  /** Passes over all ids up to this one; -1 stands for the end of the tick before. */
  #raise(tick: number, sequence: number): void {
    if (tick < this.#tick || (tick === this.#tick && sequence <= this.#sequence())) return
    this.#enter(sequence < 0 ? tick - 1 : tick)
    this.#words[LOW] = sequence < 0 ? this.#end : this.#words[LOW]! + sequence * this.#stride
    this.#seen = Math.max(this.#seen, tick)
    this.#reading = Number.NaN
  }

  async #reserve(ms: number, save: (floorTick: number) => void | Promise<void>): Promise<void> {
    const from = Math.max(tickOf(this.#layout, this.#now()), this.#tick)
    const floorTick = from + Math.ceil(requireAtLeast('ms', ms, 1) / this.#layout.unitMs) + 1
    await save(floorTick)
    if (!this.#isStopped) this.#limit(Math.max(this.#reserved, floorTick))
  }

  #limit(reserved: number): void {
    this.#reserved = reserved
    this.#reading = Number.NaN
  }

  /** Ends the generator for its lease. */
  #stop(): number {
    this.#isStopped = true
    this.#limit(0)
    return this.#tick
  }

  /** Milliseconds until the clock reaches a tick. */
  #untilTick(tick: number, reading: number): number {
    return Math.max(1, Math.ceil(this.#layout.epoch + tick * this.#layout.unitMs - reading))
  }
}
