// Three replicas and what passes between them, in two readings of one kind of picture. By order:
// replicas write and send each other all they know, as vector clocks and dotted version vectors see
// it. By broadcast: each message goes to both others, and buffers put them in causal order.
//
// Time is a row of columns; a replica has at most one event in a column. What happened is run
// through the clocks from the first column to `now`, each time anew.

import { diceOf } from '../../atlas/src/dice.ts'
import { type Delivery, deliveriesOf } from './clock-deliveries.ts'
import { type History, historyOf } from './clock-history.ts'
import {
  type Cast,
  COLUMNS,
  type Mark,
  REPLICAS,
  readCasts,
  readMarks,
  writeCasts,
  writeMarks,
} from './clock-marks.ts'
import { readChoice, readFields, readInteger, writeFields } from './state-text.ts'

/** The two readings. */
const MODES = ['order', 'broadcast'] as const

/** One of {@link MODES}. */
export type ClockMode = (typeof MODES)[number]

/** The playground of the clocks. */
export class ClockModel {
  mode: ClockMode
  seed: number
  /** The column that has been reached; what lies after it has not happened yet. */
  now: number
  marks: readonly Mark[]
  casts: readonly Cast[]
  /** The two events that are compared, by number; -1 where none is chosen. */
  chosen: readonly [number, number]
  #history: History | undefined
  #deliveries: readonly Delivery[] | undefined

  constructor(seed: number, mode: ClockMode = 'order') {
    this.seed = seed
    this.mode = mode
    this.now = COLUMNS - 1
    this.marks = storyOf(seed)
    this.casts = castsOf(seed)
    this.chosen = [this.#tellingEvent(), -1]
  }

  /** Reads what {@link toText} wrote. */
  static fromText(text: string): ClockModel {
    const fields = readFields(text)
    const seed = readInteger(fields, 'seed', 0, 999_999, 187)
    const model = new ClockModel(seed, readChoice(fields, 'mode', MODES))
    model.now = readInteger(fields, 'now', -1, COLUMNS - 1, COLUMNS - 1)
    model.marks = readMarks(fields.get('marks')) ?? model.marks
    model.casts = readCasts(fields.get('casts')) ?? model.casts
    model.#forget()
    const first = fields.has('marks') ? -1 : model.chosen[0]
    model.chosen = [readInteger(fields, 'a', -1, 99, first), readInteger(fields, 'b', -1, 99, -1)]
    return model
  }

  toText(): string {
    const { mode, seed, now, marks, casts, chosen } = this
    const [a, b] = chosen
    const lists = { marks: writeMarks(marks), casts: writeCasts(casts) }
    return writeFields({ seed, mode, now, ...lists, a, b })
  }

  /** The events that have happened, oldest first. */
  get history(): History {
    this.#history ??= historyOf(this.marks, this.now)
    return this.#history
  }

  /** The messages of the broadcasts that have been sent, by their arrivals. */
  get deliveries(): readonly Delivery[] {
    this.#deliveries ??= deliveriesOf(this.casts, this.now)
    return this.#deliveries
  }

  get isOver(): boolean {
    return this.now >= COLUMNS - 1
  }

  /** Goes to the next column; from the last back to before the first. */
  step(): void {
    this.goTo(this.isOver ? -1 : this.now + 1)
  }

  /** Goes to a column. */
  goTo(column: number): void {
    this.now = Math.min(COLUMNS - 1, Math.max(-1, column))
    this.#forget()
  }

  setMode(mode: ClockMode): void {
    this.mode = mode
  }

  /** Another story. */
  reseed(seed: number): void {
    const fresh = new ClockModel(seed, this.mode)
    this.seed = seed
    this.marks = fresh.marks
    this.casts = fresh.casts
    this.chosen = fresh.chosen
    this.goTo(COLUMNS - 1)
  }

  /** Takes everything away. */
  clear(): void {
    if (this.mode === 'order') this.marks = []
    else this.casts = []
    this.chosen = [-1, -1]
    this.goTo(-1)
  }

  /** Writes a value at a replica in the first free column from `at`; false without room. */
  write(by: number, at: number, isBlind = false): boolean {
    const column = this.#free(by, Math.max(0, at))
    if (column === undefined) return false
    this.#keep([...this.marks, { kind: 'write', by, at: column, isBlind }], column)
    return true
  }

  /** Sends what a replica knows to another, in the first free columns; false without room. */
  send(by: number, at: number, to: number, until: number): boolean {
    const column = this.#free(by, Math.max(0, at))
    const arrival = column === undefined ? undefined : this.#free(to, Math.max(until, column + 1))
    if (column === undefined || arrival === undefined || by === to) return false
    this.#keep([...this.marks, { kind: 'message', by, at: column, to, until: arrival }], arrival)
    return true
  }

  /** Sends a message to both others; false without room. */
  broadcast(by: number, at: number, until: readonly [number, number]): boolean {
    const column = this.#free(by, Math.max(0, at))
    if (column === undefined) return false
    const others = othersOf(by)
    const first = this.#free(others[0], Math.max(until[0], column + 1))
    const second = this.#free(others[1], Math.max(until[1], column + 1))
    if (first === undefined || second === undefined) return false
    this.casts = [...this.casts, { by, at: column, until: [first, second] as const }].sort(inOrder)
    this.goTo(Math.max(this.now, first, second))
    return true
  }

  /** Moves an arrival of a broadcast to another column, if that is free and after its sending. */
  delay(cast: Cast, to: number, until: number): void {
    const place = othersOf(cast.by).indexOf(to)
    if (place < 0 || until <= cast.at || until >= COLUMNS || this.#free(to, until) !== until) return
    const moved: readonly [number, number] =
      place === 0 ? [until, cast.until[1]] : [cast.until[0], until]
    this.casts = this.casts.map((other) => (other === cast ? { ...cast, until: moved } : other))
    this.#forget()
  }

  /** Moves an arrival to the next free column, later or earlier. */
  shift(cast: Cast, to: number, step: number): void {
    const until = cast.until[othersOf(cast.by).indexOf(to)]
    if (until === undefined) return
    const { casts } = this
    for (let next = until + step; next > cast.at && next < COLUMNS; next += step) {
      this.delay(cast, to, next)
      if (this.casts !== casts) return
    }
  }

  /** Takes away what an event came of: a write, or a message with both its ends. */
  removeEvent(number: number): void {
    const event = this.history[number]
    if (event === undefined) return
    this.marks = this.marks.filter((mark) => mark !== event.mark)
    this.chosen = [-1, -1]
    this.#forget()
  }

  /** Takes a broadcast away. */
  removeCast(cast: Cast): void {
    this.casts = this.casts.filter((other) => other !== cast)
    this.#forget()
  }

  /** Chooses an event: the first to compare, then the second, then the first again. */
  choose(number: number): void {
    const [a, b] = this.chosen
    if (a === number || b === number) this.chosen = [a === number ? b : a, -1]
    else this.chosen = a < 0 ? [number, -1] : [a, number]
  }

  /** How the first chosen event stands to the second: what their vectors say. */
  get verdict(): 'before' | 'after' | 'concurrent' | 'equal' | undefined {
    const [a, b] = this.chosen.map((number) => this.history[number])
    return a && b && a.vector.compare(b.vector)
  }

  /** The write with the most to tell: something before it, after it and beside it. */
  #tellingEvent(): number {
    const { history } = this
    const scores = history.map(({ kind, vector }) => {
      const orders = history.map((other) => vector.compare(other.vector))
      const counts = ['before', 'after', 'concurrent'].map(
        (order) => orders.filter((one) => one === order).length,
      )
      return kind === 'write' ? Math.min(...counts) : -1
    })
    return scores.indexOf(Math.max(...scores))
  }

  #keep(marks: readonly Mark[], reached: number): void {
    this.marks = [...marks].sort(inOrder)
    this.chosen = [-1, -1]
    this.goTo(Math.max(this.now, reached))
  }

  #free(by: number, from: number): number | undefined {
    const taken = this.mode === 'order' ? takenByMarks(this.marks) : takenByCasts(this.casts)
    const at = freeFrom(taken, by, from)
    return at < COLUMNS ? at : undefined
  }

  #forget(): void {
    this.#history = undefined
    this.#deliveries = undefined
  }
}

/** The two other replicas, in order. */
export function othersOf(by: number): readonly [number, number] {
  return by === 0 ? [1, 2] : by === 1 ? [0, 2] : [0, 1]
}

function takenByMarks(marks: readonly Mark[]): Set<string> {
  return new Set(
    marks.flatMap((mark) => {
      const own = `${mark.by} ${mark.at}`
      return mark.kind === 'write' ? [own] : [own, `${mark.to} ${mark.until}`]
    }),
  )
}

function takenByCasts(casts: readonly Cast[]): Set<string> {
  return new Set(
    casts.flatMap(({ by, at, until }) => {
      const others = othersOf(by)
      return [`${by} ${at}`, `${others[0]} ${until[0]}`, `${others[1]} ${until[1]}`]
    }),
  )
}

function freeFrom(taken: ReadonlySet<string>, by: number, from: number): number {
  let at = from
  while (taken.has(`${by} ${at}`)) at++
  return at
}

/** A few writes and messages, as the seed has it. */
function storyOf(seed: number): readonly Mark[] {
  const roll = diceOf(seed * 31 + 1)
  const marks: Mark[] = []
  const free = (by: number, from: number): number => freeFrom(takenByMarks(marks), by, from)
  for (let from = 0; from < COLUMNS - 4; from += 1 + Math.floor(roll() * 2)) {
    const by = Math.floor(roll() * REPLICAS.length)
    const at = free(by, from)
    if (roll() < 0.38) {
      marks.push({ kind: 'write', by, at, isBlind: false })
      continue
    }
    const to = othersOf(by)[roll() < 0.5 ? 0 : 1]
    const until = free(to, at + 2 + Math.floor(roll() * 2))
    if (until < COLUMNS) marks.push({ kind: 'message', by, at, to, until })
  }
  return marks.filter(({ at }) => at < COLUMNS).sort(inOrder)
}

/** A few broadcasts, some of them overtaken by their answers. */
function castsOf(seed: number): readonly Cast[] {
  const roll = diceOf(seed * 31 + 2)
  const casts: Cast[] = []
  const free = (by: number, from: number): number => freeFrom(takenByCasts(casts), by, from)
  for (let from = 0; from < COLUMNS - 6; from += 2 + Math.floor(roll() * 2)) {
    const by = Math.floor(roll() * REPLICAS.length)
    const at = free(by, from)
    const others = othersOf(by)
    const isSlowFirst = roll() < 0.5
    const slow = at + 5 + Math.floor(roll() * 4)
    const quick = at + 1 + Math.floor(roll() * 2)
    const first = free(others[0], isSlowFirst ? slow : quick)
    const second = free(others[1], isSlowFirst ? quick : slow)
    if (Math.max(first, second) < COLUMNS) casts.push({ by, at, until: [first, second] })
  }
  return casts.sort(inOrder)
}

function inOrder(a: Cast | Mark, b: Cast | Mark): number {
  return a.at - b.at || a.by - b.by
}
