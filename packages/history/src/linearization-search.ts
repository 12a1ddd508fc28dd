// The search of Wing and Gong (1993) with Lowe's memory of configurations (2017), depth first.
//
//   required 0 … n-1    ok operations, numbered by the position of their completion
//   optional n … n+k-1  operations that may take effect at any later time, or never
//   first               the lowest required number not yet in the order: who must go soonest
//   candidates          everything invoked before `first` completed
//
// A configuration is (required operations in the order, state, optional ones used). It is entered
// once; one that used a superset of the optional operations of another is no better and is skipped.
// Three shortcuts, none of which loses an order: a read that is legal goes at once (in any order
// that has it later it can be moved here); an optional operation that changes nothing is not tried;
// of optional operations that do the same, the one invoked first is tried.

import type { Model } from './model.ts'
import { deadlineOf, type Operation } from './operation.ts'
import { valueKey } from './value-key.ts'

/** What a search found. */
export interface SearchResult {
  readonly outcome: 'found' | 'impossible' | 'exhausted'
  /** The operations in an order that explains the history, when one was found. */
  readonly order: readonly Operation[]
  /** An operation that no order got past: the history up to its completion is impossible. */
  readonly stuck: Operation
  /** How many steps of the model were tried. */
  readonly steps: number
}

/** Looks for a legal order of operations (none of them failed) that keeps real time. */
export function searchLinearization<S>(
  model: Model<S>,
  operations: readonly Operation[],
  maxSteps: number,
): SearchResult {
  return new Search(model, operations, maxSteps).run()
}

const SEEN: readonly Uint16Array[] = []

class Search<S> {
  readonly #model: Model<S>
  readonly #maxSteps: number
  /** Required by completion, then optional by invocation. */
  readonly #operations: readonly Operation[]
  readonly #requiredCount: number
  readonly #invokedAt: Float64Array
  readonly #completedAt: Float64Array
  /** 1 for an operation that never changes a state. */
  readonly #isRead: Uint8Array
  /** Who is tried first among those that could be next. */
  readonly #rank: Float64Array
  /** Which operations are in the order, 16 a word, so that a range of words is a string. */
  readonly #used: Uint16Array
  readonly #optionalUsed: Uint16Array
  /** Those not yet in the order, required and optional apart, by invocation; last is the head. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #requiredHead: number
  readonly #optionalHead: number
  /** Optional operations that do the same have the same class. */
  readonly #classes: Int32Array
  readonly #classTried: Int32Array
  readonly #memory = new Map<string, readonly Uint16Array[]>()
  readonly #frames: Frame<S>[] = []
  #visits = 0
  #steps = 0
  #first = 0
  /** How far `first` got, and an operation that was too late there. */
  #furthest = 0
  #lost: number | undefined
  #top = -1
  #state: S

  constructor(model: Model<S>, operations: readonly Operation[], maxSteps: number) {
    const special = model.specialize?.(operations) ?? model
    this.#model = special
    this.#maxSteps = maxSteps
    const byInvocation = operations.toSorted((a, b) => a.invokedAt - b.invokedAt)
    const required = byInvocation
      .filter((operation) => operation.outcome === 'ok')
      .sort((a, b) => a.completedAt - b.completedAt)
    const optional = byInvocation.filter((operation) => operation.outcome !== 'ok')
    this.#operations = [...required, ...optional]
    const count = this.#operations.length
    this.#requiredCount = required.length
    this.#invokedAt = Float64Array.from(this.#operations, (operation) => operation.invokedAt)
    this.#completedAt = Float64Array.from(this.#operations, deadlineOf)
    this.#isRead = Uint8Array.from(required, (operation) => (model.isRead?.(operation) ? 1 : 0))
    this.#rank = Float64Array.from(required, (each) => special.rank?.(each) ?? each.completedAt)
    this.#used = new Uint16Array((required.length >> 4) + 1)
    this.#optionalUsed = new Uint16Array((optional.length + 15) >> 4)
    this.#next = new Int32Array(count + 2)
    this.#previous = new Int32Array(count + 2)
    this.#requiredHead = count
    this.#optionalHead = count + 1
    const numbers = new Map(this.#operations.map((operation, i) => [operation, i]))
    this.#link(this.#requiredHead, required, numbers)
    this.#link(this.#optionalHead, optional, numbers)
    this.#classes = classesOf(optional, model.ignoresProcess ?? false)
    this.#classTried = new Int32Array(optional.length)
    this.#state = model.init()
  }

  run(): SearchResult {
    this.#frames.push(this.#frame(-1))
    while (this.#first < this.#requiredCount) {
      if (this.#steps > this.#maxSteps) return this.#result('exhausted')
      const frame = this.#frames.at(-1)!
      if (frame.at === frame.candidates.length && !this.#addOptional(frame)) {
        this.#frames.pop()
        if (this.#frames.length === 0) return this.#result('impossible')
        this.#undo(frame)
        continue
      }
      const candidate = frame.candidates[frame.at++]!
      const state = this.#step(this.#state, candidate)
      if (state === undefined) continue
      const isForced = frame.isForced
      const entered = this.#enter(candidate, state)
      if (!isForced && !this.#remember()) this.#undo(entered)
      else this.#frames.push(this.#expand(entered))
    }
    return this.#result('found')
  }

  #result(outcome: SearchResult['outcome']): SearchResult {
    const order =
      outcome === 'found'
        ? this.#frames.slice(1).map((frame) => this.#operations[frame.operation]!)
        : []
    const stuck = this.#operations[this.#lost ?? Math.min(this.#furthest, this.#requiredCount - 1)]!
    return { outcome, order, stuck, steps: this.#steps }
  }

  #step(state: S, operation: number): S | undefined {
    this.#steps++
    return this.#model.step(state, this.#operations[operation]!)
  }

  /** Puts an operation into the order; what it returns undoes that. */
  #enter(operation: number, state: S): Frame<S> {
    const frame = newFrame(operation, this.#state, this.#first, this.#top)
    const [next, previous] = [this.#next[operation]!, this.#previous[operation]!]
    this.#next[previous] = next
    this.#previous[next] = previous
    this.#flip(operation)
    if (operation < this.#requiredCount) {
      if (operation > this.#top) this.#top = operation
      while (this.#first < this.#requiredCount && this.#isUsed(this.#first)) this.#first++
      if (this.#first > this.#furthest) {
        this.#furthest = this.#first
        this.#lost = undefined
      }
    }
    this.#state = state
    return frame
  }

  #undo({ operation, state, first, top }: Frame<S>): void {
    this.#next[this.#previous[operation]!] = operation
    this.#previous[this.#next[operation]!] = operation
    this.#flip(operation)
    this.#state = state
    this.#first = first
    this.#top = top
  }

  #flip(operation: number): void {
    const isRequired = operation < this.#requiredCount
    const number = isRequired ? operation : operation - this.#requiredCount
    const words = isRequired ? this.#used : this.#optionalUsed
    words[number >> 4]! ^= 1 << (number & 15)
  }

  #isUsed(required: number): boolean {
    return (this.#used[required >> 4]! & (1 << (required & 15))) !== 0
  }

  /** Whether the configuration is new, and better than every one with the same future. */
  #remember(): boolean {
    let words = ''
    // Everything below `first` is in the order, nothing above `top` is.
    for (let w = this.#first >> 4; w <= this.#top >> 4; w++) {
      words += String.fromCharCode(this.#used[w]!)
    }
    const state = this.#model.key(this.#state)
    const mark = typeof state === 'number' ? '#' : '$'
    const key = `${this.#first},${this.#top},${words}${mark}${state}`
    const before = this.#memory.get(key)
    if (this.#optionalUsed.length === 0) {
      if (before !== undefined) return false
      this.#memory.set(key, SEEN)
      return true
    }
    this.#steps += before?.length ?? 0
    if (before?.some((used) => isSubset(used, this.#optionalUsed))) return false
    const kept = before?.filter((used) => !isSubset(this.#optionalUsed, used)) ?? []
    this.#memory.set(key, [...kept, this.#optionalUsed.slice()])
    return true
  }

  #frame(operation: number): Frame<S> {
    return this.#expand(newFrame(operation, this.#state, this.#first, this.#top))
  }

  /** Lists what may come next, most promising first. */
  #expand(frame: Frame<S>): Frame<S> {
    const first = this.#first
    if (first === this.#requiredCount) return frame
    const legal: number[] = []
    const deadline = this.#completedAt[first]!
    let at = this.#next[this.#requiredHead]!
    for (; at !== this.#requiredHead && this.#invokedAt[at]! < deadline; at = this.#next[at]!) {
      const state = this.#step(this.#state, at)
      if (state === undefined) {
        const isLost = this.#model.isTooLate?.(this.#state, this.#operations[at]!)
        if (isLost) {
          if (first === this.#furthest) this.#lost = at
          return only(frame, [])
        }
        continue
      }
      if (this.#isRead[at] === 1) return only(frame, [at])
      legal.push(at)
    }
    if (legal.includes(first)) {
      const rank = this.#rank
      frame.candidates = legal.sort((a, b) => rank[a]! - rank[b]!)
      return frame
    }
    // `first` is stuck: what makes it legal in one step goes before what does not.
    const optional = this.#optionalCandidates()
    const all = [...legal, ...optional]
    const freeing = all.filter((operation) => this.#frees(operation, first))
    frame.candidates = [...freeing, ...all.filter((operation) => !freeing.includes(operation))]
    frame.hasOptional = true
    return frame
  }

  #frees(operation: number, stuck: number): boolean {
    const state = this.#step(this.#state, operation)
    return state !== undefined && this.#step(state, stuck) !== undefined
  }

  /** Optional operations come last where a required one could go: they need not happen. */
  #addOptional(frame: Frame<S>): boolean {
    if (frame.hasOptional) return false
    frame.hasOptional = true
    frame.candidates = this.#optionalCandidates()
    frame.at = 0
    return frame.candidates.length > 0
  }

  #optionalCandidates(): number[] {
    const found: number[] = []
    const visit = ++this.#visits
    const deadline = this.#completedAt[this.#first]!
    let at = this.#next[this.#optionalHead]!
    for (; at !== this.#optionalHead && this.#invokedAt[at]! < deadline; at = this.#next[at]!) {
      const kind = this.#classes[at - this.#requiredCount]!
      if (this.#classTried[kind] === visit) continue
      this.#classTried[kind] = visit
      const state = this.#step(this.#state, at)
      if (state !== undefined && !Object.is(state, this.#state)) found.push(at)
    }
    return found
  }

  #link(head: number, among: readonly Operation[], numbers: Map<Operation, number>): void {
    let last = head
    for (const operation of among.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
      const number = numbers.get(operation)!
      this.#next[last] = number
      this.#previous[number] = last
      last = number
    }
    this.#next[last] = head
    this.#previous[head] = last
  }
}

/** A step of the order, and what to try after it. */
interface Frame<S> {
  /** What was put into the order, and the configuration before that. */
  readonly operation: number
  readonly state: S
  readonly first: number
  readonly top: number
  /** What to try next, and how far that has got. */
  candidates: readonly number[]
  at: number
  isForced: boolean
  hasOptional: boolean
}

function newFrame<S>(operation: number, state: S, first: number, top: number): Frame<S> {
  const nothing = { candidates: [], at: 0, isForced: false, hasOptional: false }
  return { operation, state, first, top, ...nothing }
}

/** A frame with no choice: what must come next, or nothing. */
function only<S>(frame: Frame<S>, candidates: readonly number[]): Frame<S> {
  return Object.assign(frame, { candidates, isForced: true, hasOptional: true })
}

/** Numbers operations so that those that do the same have the same number. */
function classesOf(optional: readonly Operation[], ignoresProcess: boolean): Int32Array {
  const classes = new Map<string, number>()
  return Int32Array.from(optional, ({ f, process, argument }) => {
    const what = JSON.stringify([f, ignoresProcess || process, valueKey(argument)])
    const known = classes.get(what) ?? classes.size
    classes.set(what, known)
    return known
  })
}

function isSubset(small: Uint16Array, large: Uint16Array): boolean {
  for (let w = 0; w < small.length; w++) {
    if ((small[w]! & ~large[w]!) !== 0) return false
  }
  return true
}
