// A Snowflake generator on a clock that a visitor may pull about. What happened to the clock and
// how many ids were asked for is a tape; the generator is run along the tape from its beginning,
// so that other limits show what they would have done on the same day.
//
//   true time ──► + what was pulled ──► the clock's reading ──► the generator ──► ids, or a refusal

import { IdError, Snowflake } from '@ashlar/id'
import { diceOf } from '../../atlas/src/dice.ts'
import { LAYOUTS, type LayoutName } from './id-bits.ts'
import { type Fields, readChoice, readFields, readInteger, writeFields } from './state-text.ts'

/** How far the clock may be behind, in milliseconds, while ids are held at the last tick. */
export const HOLDS = [50, 0, 10, 25, 100, 10_000] as const

/** How far ids may run ahead of the clock, in milliseconds. */
export const LEADS = [5, 0, 1, 2, 10, 50] as const

/** Ids asked for in a millisecond. */
export const RATES = [3, 1, 10, 100, 1000, 4096, 6000] as const

/** Milliseconds until the tape is full. */
export const TAPE_MS = 600

/** A step of the clock, in milliseconds, or another rate, at a moment of the tape. */
export interface TapeEntry {
  readonly atMs: number
  readonly kind: 'pull' | 'rate' | 'burst'
  readonly amount: number
}

/** What the generator may do. */
export interface IdSettings {
  readonly seed: number
  readonly maxHoldMs: (typeof HOLDS)[number]
  readonly maxLeadMs: (typeof LEADS)[number]
}

/** What became of one millisecond. */
export interface Moment {
  readonly atMs: number
  /** What the clock read, in milliseconds after the beginning. */
  readonly reading: number
  readonly asked: number
  readonly made: number
  /** Ticks of the first and the last id, in milliseconds after the beginning; NaN without ids. */
  readonly firstTick: number
  readonly lastTick: number
  /** The sequence number of the last id. */
  readonly sequence: number
  /** Ids whose tick lies after the clock's reading because it had read more. */
  readonly isHeld: boolean
  /** Ids of ticks that no clock had read yet. */
  readonly isBorrowed: boolean
  /** The error's code where the rest was refused. */
  readonly refusal: string
  readonly waitMs: number
}

/** Counts since the tape began. */
export interface IdTotals {
  readonly asked: number
  readonly made: number
  /** Ids not above the one before: twice, or out of order. */
  readonly wrong: number
}

/** What there is to see at first: a clock that went back, and a millisecond that is full. */
const OPENING: readonly TapeEntry[] = [
  { atMs: 40, kind: 'pull', amount: -30 },
  { atMs: 100, kind: 'burst', amount: 30_000 },
]
const OPENING_MS = 120

const BEGINNING_MS = Date.UTC(2026, 0, 5, 9, 30)

/** The playground of the ids. */
export class IdModel {
  settings: IdSettings
  /** The tape, oldest first. */
  tape: readonly TapeEntry[] = []
  moments: Moment[] = []
  /** The layout that ids are read by; the generator's own is the first. */
  layout: LayoutName = LAYOUTS[0]
  /** An id that was typed, to be taken apart instead of the generator's last. */
  typed: string | undefined
  /** The last id that was made; 0 before the first. */
  lastId = 0n
  #made = 0
  #asked = 0
  #wrong = 0
  #generator: Snowflake
  #readingMs: number = BEGINNING_MS
  #highest = 0
  #pulled = 0
  #rate: number = RATES[0]

  constructor(settings: IdSettings) {
    this.settings = settings
    this.#generator = this.#makeGenerator()
  }

  /** Reads what {@link toText} wrote. */
  static fromText(text: string): IdModel {
    const fields = readFields(text)
    const model = new IdModel({
      seed: readInteger(fields, 'seed', 0, 999_999, 7),
      maxHoldMs: readChoice(fields, 'hold', HOLDS),
      maxLeadMs: readChoice(fields, 'lead', LEADS),
    })
    model.layout = readChoice(fields, 'layout', LAYOUTS)
    model.typed = fields.get('id')?.slice(0, 20)
    const isOpening = !fields.has('at')
    model.tape = isOpening ? OPENING : readTape(fields)
    model.#runTo(readInteger(fields, 'at', 0, TAPE_MS, isOpening ? OPENING_MS : 0))
    return model
  }

  toText(): string {
    const { seed, maxHoldMs, maxLeadMs } = this.settings
    const tape = this.tape.map(({ atMs, kind, amount }) => `${atMs}${kind[0]}${amount}`).join(',')
    const reading = this.typed === undefined ? {} : { layout: this.layout, id: this.typed }
    return writeFields({ seed, hold: maxHoldMs, lead: maxLeadMs, at: this.atMs, tape, ...reading })
  }

  /** Milliseconds of the tape that have passed. */
  get atMs(): number {
    return this.moments.length
  }

  /** Ids that are asked for in a millisecond now. */
  get rate(): number {
    return this.#rateAfter(this.tape.filter(({ atMs }) => atMs <= this.atMs))
  }

  /** What was done and waits for the next step, in words. */
  get pending(): string {
    const waiting = this.tape.filter(({ atMs, kind }) => atMs === this.atMs && kind !== 'rate')
    return waiting
      .map(({ kind, amount }) => {
        if (kind === 'burst') return `${amount.toLocaleString('en')} more ids in the next step`
        return `the clock will step ${Math.abs(amount)} ms ${amount < 0 ? 'back' : 'on'}`
      })
      .join(', ')
  }

  get isOver(): boolean {
    return this.atMs >= TAPE_MS
  }

  get totals(): IdTotals {
    return { asked: this.#asked, made: this.#made, wrong: this.#wrong }
  }

  /** The worker of this generator, which the seed chooses. */
  get workerId(): number {
    return this.settings.seed % 1024
  }

  /** Lets a millisecond pass, and asks for the ids of it. */
  step(): void {
    if (this.isOver) return
    const at = this.atMs
    let asked = 0
    for (const { kind, amount } of this.tape.filter(({ atMs }) => atMs === at)) {
      if (kind === 'pull') this.#pulled += amount
      if (kind === 'rate') this.#rate = amount
      if (kind === 'burst') asked += amount
    }
    const reading = at + this.#pulled
    this.#readingMs = BEGINNING_MS + reading
    // A crowd is not even: the seed decides how many come in this very millisecond.
    asked += Math.round(this.#rate * (0.5 + diceOf(this.settings.seed * 131 + at)()))
    this.moments.push(this.#serve(asked, at, reading))
  }

  /** Sets the clock back (below 0) or on by some milliseconds, from the next step on. */
  pull(ms: number): void {
    this.#record({ atMs: this.atMs, kind: 'pull', amount: ms })
  }

  /** Asks for so many more ids, all in the next millisecond. */
  burst(ids: number): void {
    this.#record({ atMs: this.atMs, kind: 'burst', amount: ids })
  }

  /** Asks for so many ids a millisecond, from the next step on. */
  setRate(rate: number): void {
    this.#record({ atMs: this.atMs, kind: 'rate', amount: rate })
  }

  /** Runs the tape again as it would have been with other settings. */
  set(settings: Partial<IdSettings>): void {
    const { atMs } = this
    this.settings = { ...this.settings, ...settings }
    this.#rewind()
    this.#runTo(atMs)
  }

  /** Takes the generator's last id apart again. */
  follow(): void {
    this.typed = undefined
    this.layout = LAYOUTS[0]
  }

  /** An empty tape. */
  restart(): void {
    this.tape = []
    this.#rewind()
  }

  #serve(asked: number, atMs: number, reading: number): Moment {
    const before = this.#made
    const highest = Math.max(this.#highest, reading)
    let firstTick = Number.NaN
    let refusal = ''
    let waitMs = 0
    try {
      for (let i = 0; i < asked; i++) {
        const id = this.#generator.next()
        if (id <= this.lastId) this.#wrong++
        this.lastId = id
        this.#made++
        if (i === 0) firstTick = this.#lastTick()
      }
    } catch (error) {
      if (!(error instanceof IdError)) throw error
      refusal = error.code
      waitMs = error.waitMs ?? 0
    }
    this.#asked += asked
    this.#highest = highest
    const made = this.#made - before
    const lastTick = made === 0 ? Number.NaN : this.#lastTick()
    return {
      atMs,
      reading,
      asked,
      made,
      firstTick,
      lastTick,
      sequence: made === 0 ? 0 : this.#generator.state().sequence,
      isHeld: reading < highest && made > 0,
      isBorrowed: lastTick > highest,
      refusal,
      waitMs,
    }
  }

  #lastTick(): number {
    const { epoch, unitMs } = this.#generator.layout
    return this.#generator.state().lastTick * unitMs + epoch - BEGINNING_MS
  }

  #record(entry: TapeEntry): void {
    if (this.isOver) return
    const rest = this.tape.filter(({ atMs }) => atMs <= entry.atMs)
    const last = rest.at(-1)
    // Pressed twice before time went on: one longer pull, one larger burst, the later rate.
    const isAgain = last?.atMs === entry.atMs && last.kind === entry.kind
    if (!isAgain) this.tape = [...rest, entry]
    else {
      const amount = entry.kind === 'rate' ? entry.amount : entry.amount + last.amount
      this.tape = [...rest.slice(0, -1), { ...entry, amount }]
    }
  }

  #rateAfter(tape: readonly TapeEntry[]): number {
    return tape.findLast(({ kind }) => kind === 'rate')?.amount ?? RATES[0]
  }

  #rewind(): void {
    this.moments = []
    this.lastId = 0n
    this.#made = 0
    this.#asked = 0
    this.#wrong = 0
    this.#readingMs = BEGINNING_MS
    this.#highest = 0
    this.#pulled = 0
    this.#rate = RATES[0]
    this.#generator = this.#makeGenerator()
  }

  #runTo(atMs: number): void {
    while (this.atMs < atMs) this.step()
  }

  #makeGenerator(): Snowflake {
    const { maxHoldMs, maxLeadMs } = this.settings
    const now = (): number => this.#readingMs
    return new Snowflake({ workerId: this.workerId, now, maxHoldMs, maxLeadMs })
  }
}

function readTape(fields: Fields): TapeEntry[] {
  const entries: TapeEntry[] = []
  for (const text of (fields.get('tape') ?? '').split(',').slice(0, 200)) {
    const [, at, letter, amount] = /^(\d{1,4})([prb])(-?\d{1,5})$/u.exec(text) ?? []
    if (at === undefined) continue
    const kind = letter === 'p' ? 'pull' : letter === 'r' ? 'rate' : 'burst'
    const entry = { atMs: Number(at), kind, amount: Number(amount) } as const
    const isRight = kind === 'pull' ? Math.abs(entry.amount) <= 20_000 : isCount(entry)
    if (isRight) entries.push(entry)
  }
  return entries.sort((a, b) => a.atMs - b.atMs)
}

function isCount({ kind, amount }: TapeEntry): boolean {
  return amount >= 0 && amount <= (kind === 'rate' ? 6000 : 60_000)
}
