// Slots of a fleet that move from three shards to four while clients write and read, by the
// package's own job over its engine in memory. What the visitor did is a tape by steps; the fleet
// is simulated from its beginning, so that a tape and a seed are all that there is to share.

import { JobTape, type TapeEntry, type TapeKind } from './reshard-tape.ts'
import { ReshardWorld, type WorldView } from './reshard-world.ts'
import { readFields, readInteger, writeFields } from './state-text.ts'

/** A step, in milliseconds of the virtual clock. */
export const STEP_MS = 25

/** Steps until the tape is full. */
export const TAPE_STEPS = 480

/** Steps that a column of the chart counts together. */
export const COLUMN_STEPS = 4

/** Operations of clients that ended in a column of the chart. */
export interface Column {
  ended: number
  /** How long the slowest took, or has waited so far, in milliseconds. */
  slowestMs: number
  hasWorker: boolean
  isFreezing: boolean
}

/** The playground of resharding. */
export class ReshardModel {
  readonly seed: number
  steps = 0
  columns: Column[] = []
  /** What there is to see; undefined until the fleet stands. */
  view: WorldView | undefined
  #tape: JobTape
  #world: ReshardWorld | undefined
  /** Steps to run before anything is shown. */
  readonly #opening: number
  #isClosed = false

  constructor(seed: number, tape: JobTape = JobTape.opening(), opening = 0) {
    this.seed = seed
    this.#tape = tape
    this.#opening = opening
  }

  /** Reads what {@link toText} wrote; {@link ready} then runs it to where it was. */
  static fromText(text: string): ReshardModel {
    const fields = readFields(text)
    const seed = readInteger(fields, 'seed', 0, 999_999, 7)
    const at = readInteger(fields, 'at', 0, TAPE_STEPS, fields.has('at') ? 0 : OPENING_STEPS)
    return new ReshardModel(seed, JobTape.fromText(fields.get('tape')), at)
  }

  toText(): string {
    return writeFields({ seed: this.seed, at: this.steps, tape: this.#tape.toText() })
  }

  get isOver(): boolean {
    return this.steps >= TAPE_STEPS
  }

  /** Client operations a second. */
  get load(): number {
    return this.#tape.loadAt(this.steps)
  }

  get tape(): readonly TapeEntry[] {
    return this.#tape.entries
  }

  /** What the clients have seen. */
  get crowd(): ReshardWorld['crowd']['figures'] | undefined {
    return this.#world?.crowd.figures
  }

  /** Builds the fleet and runs it to where it is to begin. */
  async ready(): Promise<this> {
    this.#world = await ReshardWorld.open(this.seed)
    this.view = await this.#world.look()
    while (this.steps < this.#opening && !this.#isClosed) await this.step()
    return this
  }

  /** Lets {@link STEP_MS} pass. */
  async step(): Promise<void> {
    const world = this.#world
    if (world === undefined || this.isOver || this.#isClosed) return
    for (const { kind } of this.#tape.at(this.steps)) await act(world, kind)
    // Whole operations only: what is left over counts for a later step.
    const upTo = (steps: number): number => Math.floor((steps * this.load * STEP_MS) / 1000)
    world.crowd.begin(upTo(this.steps + 1) - upTo(this.steps))
    await world.time.pass(STEP_MS)
    this.steps++
    this.view = await world.look()
    this.#note(this.view)
  }

  /** Does something, from the next step on; what the tape held for later is gone. */
  act(kind: TapeKind, amount = 0): void {
    if (!this.isOver) this.#tape = this.#tape.with({ step: this.steps, kind, amount })
  }

  /** Ends the fleet. */
  close(): void {
    this.#isClosed = true
    this.#world?.close()
  }

  #note({ took, oldestMs, worker, slots }: WorldView): void {
    const at = Math.floor((this.steps - 1) / COLUMN_STEPS)
    this.columns[at] ??= { ended: 0, slowestMs: 0, hasWorker: false, isFreezing: false }
    const column = this.columns[at]
    column.ended += took.length
    column.slowestMs = Math.max(column.slowestMs, oldestMs, ...took)
    column.hasWorker ||= worker !== undefined
    column.isFreezing ||= slots.some(({ isFrozen }) => isFrozen)
  }
}

/** Where it stands when nobody has touched it: slots are being copied. */
const OPENING_STEPS = 40

function act(world: ReshardWorld, kind: TapeKind): Promise<void> | void {
  if (kind === 'start') return world.start()
  if (kind === 'crash') return world.crash()
  if (kind === 'xcrash') return world.crashInFreeze()
  if (kind === 'hire') return world.hire()
  return kind === 'load' ? undefined : world.wish(kind)
}
