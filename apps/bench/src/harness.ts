// The harness: candidates alternate in slices of about 2 ms in one process, so that whatever else
// the machine does falls on all of them alike.
//
// A round gives every candidate the same number of slices, in an order that rotates; a figure is
// the median over the rounds, printed with the smallest and the largest round. Results that
// nobody reads are not work: every run returns a number, and the harness keeps their sum.

/** One row of a table, as GOALS.md and the docs read it. */
export interface Row {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly lowerIsBetter: boolean
  readonly results: Readonly<Record<string, Figure>>
  readonly goal: Goal | undefined
  /** How many times better than `goal.against` ours is; for `atMost`, our median. */
  readonly ratio: number | undefined
  readonly met: boolean | undefined
}

/** A figure over the rounds, in the unit of its row. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** A ratio to reach against a peer, or a ceiling for our own figure. */
type Goal = { readonly against: string; readonly atLeast: number } | { readonly atMost: number }

/** What a row measures, before it has figures. */
interface Question {
  readonly id: string
  readonly title: string
  readonly unit?: string
  readonly goal?: Goal
}

/** Work to be timed. */
export interface Timed {
  /** Does `ops` operations and returns a number made from their results. */
  readonly run: () => number
  /** Untimed, before each run: the state that a run uses up. */
  readonly before?: () => void
}

/** A question of speed: every candidate does `ops` operations a run. */
export interface SpeedQuestion extends Question {
  readonly ops: number
  readonly candidates: Readonly<Record<string, Timed | (() => number)>>
}

/** A question of memory: what each candidate's object keeps alive. */
export interface MemoryQuestion extends Question {
  readonly candidates: Readonly<Record<string, () => unknown>>
}

/**
 * A question whose numbers are known: those that need no clock (moved keys, max/mean), and those of
 * calls that are awaited, a list with the number of each round. Of lists the goal is judged by the
 * median of the rounds' ratios: what the machine did to a round it did to both sides of it.
 */
export interface CountQuestion extends Question {
  readonly results: Readonly<Record<string, number | readonly number[]>>
  readonly lowerIsBetter?: boolean
}

/** How long to measure. */
export interface Effort {
  readonly rounds: number
  readonly slicesPerRound: number
  readonly sliceMs: number
  readonly warmUpMs: number
}

const usual: Effort = { rounds: 11, slicesPerRound: 12, sliceMs: 2, warmUpMs: 150 }
const UNITS: Readonly<Record<string, number>> = { 'ns/op': 1e6, 'us/op': 1e3, 'ms/op': 1 }

/** Collects the rows of one package; `ours` names our candidate in each of them. */
export class Bench {
  readonly rows: Row[] = []
  /** The sum of all that the candidates returned: proof that the work was done. */
  sink = 0
  /** What time is measured by. */
  readonly clock: Clock
  readonly #ours: string
  readonly #effort: Effort
  readonly #only: RegExp | undefined
  readonly #onRow: (row: Row) => void

  constructor(options: {
    ours: string
    /** Default {@link wallMs}. */
    clock?: Clock
    effort?: Partial<Effort>
    only?: RegExp | undefined
    onRow?: (row: Row) => void
  }) {
    this.clock = options.clock ?? wallMs
    this.#ours = options.ours
    this.#effort = { ...usual, ...options.effort }
    this.#only = options.only
    this.#onRow = options.onRow ?? (() => {})
  }

  /** Times the candidates side by side; `unit` is 'ns/op' (default), 'us/op' or 'ms/op'. */
  speed(question: SpeedQuestion): void {
    if (!this.wants(question.id)) return
    const unit = question.unit ?? 'ns/op'
    const scale = UNITS[unit]
    if (scale === undefined) throw new RangeError(`unit must be one of ${Object.keys(UNITS)}`)
    const lanes = Object.entries(question.candidates).map(([name, work]) => ({
      name,
      timed: typeof work === 'function' ? { run: work } : work,
      calls: 1,
      rounds: [] as number[],
    }))
    for (const lane of lanes) lane.calls = this.#callsPerSlice(lane.timed)
    for (let round = 0; round < this.#effort.rounds; round++) {
      const spent = lanes.map(() => 0)
      for (let slice = 0; slice < this.#effort.slicesPerRound; slice++) {
        for (let k = 0; k < lanes.length; k++) {
          const at = (k + slice + round) % lanes.length
          spent[at]! += this.#slice(lanes[at]!.timed, lanes[at]!.calls)
        }
      }
      for (const [at, lane] of lanes.entries()) {
        const ops = lane.calls * this.#effort.slicesPerRound * question.ops
        lane.rounds.push((spent[at]! * scale) / ops)
      }
    }
    const results = Object.fromEntries(lanes.map((lane) => [lane.name, figure(lane.rounds)]))
    this.#add(question, unit, true, results)
  }

  /** Bytes that each candidate's object keeps alive, after collections; needs --expose-gc. */
  memory(question: MemoryQuestion): void {
    if (!this.wants(question.id)) return
    const results: Record<string, Figure> = {}
    for (const [name, make] of Object.entries(question.candidates)) {
      make() // what a first call compiles and caches is not the object's
      results[name] = figure([0, 1, 2].map(() => retainedBytes(make)))
    }
    this.#add(question, question.unit ?? 'bytes', true, results)
  }

  /** Records plain numbers. */
  count(question: CountQuestion): void {
    if (!this.wants(question.id)) return
    const rounds = Object.entries(question.results).map(
      ([name, numbers]) => [name, [numbers].flat()] as const,
    )
    const results = Object.fromEntries(rounds.map(([name, numbers]) => [name, figure(numbers)]))
    const lowerIsBetter = question.lowerIsBetter ?? true
    this.#add(question, question.unit ?? '', lowerIsBetter, results, Object.fromEntries(rounds))
  }

  /** Records that a row could not be measured here, and why: it meets and misses no goal. */
  notRun({ id, title }: Pick<Question, 'id' | 'title'>, why: string): void {
    if (this.wants(id)) this.#add({ id, title }, `not run: ${why}`, true, {})
  }

  /** Whether a row was asked for: what is costly to prepare is left out for one that was not. */
  wants(id: string): boolean {
    return this.#only === undefined || this.#only.test(id)
  }

  #add(
    question: Question,
    unit: string,
    lowerIsBetter: boolean,
    results: Readonly<Record<string, Figure>>,
    rounds: Readonly<Record<string, readonly number[]>> = {},
  ): void {
    const { id, title, goal } = question
    const ratio =
      goal &&
      (ratioByRound(goal, rounds, this.#ours, lowerIsBetter) ??
        ratioTo(goal, results, this.#ours, lowerIsBetter))
    const met =
      goal && ratio !== undefined
        ? 'atMost' in goal
          ? ratio <= goal.atMost
          : ratio >= goal.atLeast
        : undefined
    const row: Row = { id, title, unit, lowerIsBetter, results, goal, ratio, met }
    this.rows.push(row)
    this.#onRow(row)
  }

  /** Warms the candidate up and finds how many calls fill a slice. */
  #callsPerSlice(timed: Timed): number {
    let calls = 0
    let spent = 0
    do {
      spent += this.#slice(timed, 1)
      calls++
    } while (spent < this.#effort.warmUpMs && calls < 1e6)
    return Math.max(1, Math.round((calls * this.#effort.sliceMs) / spent))
  }

  /** Milliseconds of `calls` runs, preparations left out. */
  #slice(timed: Timed, calls: number): number {
    const { run, before } = timed
    const clock = this.clock
    if (before === undefined) {
      const start = clock()
      for (let i = 0; i < calls; i++) this.sink += run()
      return clock() - start
    }
    let spent = 0
    for (let i = 0; i < calls; i++) {
      before()
      const start = clock()
      this.sink += run()
      spent += clock() - start
    }
    return spent
  }
}

/** How many times better ours is than the goal's peer, or our own median for a ceiling. */
function ratioTo(
  goal: Goal,
  results: Readonly<Record<string, Figure>>,
  oursName: string,
  lowerIsBetter: boolean,
): number {
  const ours = results[oursName]
  if (ours === undefined) throw new Error(`a row with a goal needs a candidate ${oursName}`)
  if ('atMost' in goal) return ours.median
  const peers = Object.entries(results)
    .filter(([name]) =>
      goal.against === 'best peer' ? !name.startsWith(oursName) : name === goal.against,
    )
    .map(([, peer]) => peer.median)
  if (peers.length === 0) throw new Error(`no candidate is called ${goal.against}`)
  return lowerIsBetter ? Math.min(...peers) / ours.median : ours.median / Math.max(...peers)
}

/** The median of the rounds' ratios to one peer; undefined where there is none by round. */
function ratioByRound(
  goal: Goal,
  rounds: Readonly<Record<string, readonly number[]>>,
  oursName: string,
  lowerIsBetter: boolean,
): number | undefined {
  if ('atMost' in goal) return undefined
  const ours = rounds[oursName]
  const peer = rounds[goal.against]
  if (ours === undefined || peer?.length !== ours.length) return undefined
  return figure(ours.map((n, i) => (lowerIsBetter ? peer[i]! / n : n / peer[i]!))).median
}

function figure(rounds: readonly number[]): Figure {
  const sorted = rounds.toSorted((a, b) => a - b)
  return { median: sorted[sorted.length >> 1]!, min: sorted[0]!, max: sorted.at(-1)! }
}

function retainedBytes(make: () => unknown): number {
  const gc = globalThis.gc
  if (gc === undefined) throw new Error('memory rows need node --expose-gc')
  const settle = () => {
    gc()
    gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = settle()
  const kept = [make()]
  const after = settle()
  return kept.length === 1 ? after - before : 0
}

/** Reads milliseconds. */
export type Clock = () => number

/** Elapsed time: the measure on a quiet machine. */
export const wallMs: Clock = () => performance.now()

/**
 * CPU time of this process, for a busy machine: what others do does not count. What the collector
 * does in threads of its own does, and falls on whoever is measured just then, also for another's
 * garbage. (The clock of the thread alone is too coarse: on some kernels it ticks every 4 ms.)
 */
export const cpuMs: Clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
