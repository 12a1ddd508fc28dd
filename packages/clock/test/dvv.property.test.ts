// Dotted version vector sets against a model: each server's state as a set of dots it has heard of
// and the values that none of them overwrote; overwritten is what a write's reader had seen.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { Dvv, VersionVector } from '../src/index.ts'

/** What a law needs of a state; twins implement it wrongly. */
interface State {
  put(value: string, context: VersionVector, server: string): State
  sync(other: State): State
  values(): string[]
  context(): VersionVector
}

/** A write, by its dot, and the dots of the writes whose values its writer had read. */
interface Write {
  readonly dot: string
  readonly seen: ReadonlySet<string>
}

/** The causal history of a server: which writes have reached it. */
type History = ReadonlySet<string>

const SERVERS = ['oslo', 'rome', '__proto__', 'constructor']

const arbitraryStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ put: fc.nat(3), client: fc.nat(2), reads: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ from: fc.nat(3), to: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ read: fc.nat(3), client: fc.nat(2) }) },
)
const arbitrarySteps = fc.array(arbitraryStep, { size: 'max', maxLength: 50 })

/** A run of clients that write, read and go stale, and servers that exchange states. */
class Store {
  readonly states: State[]
  readonly histories: History[] = SERVERS.map(() => new Set())
  readonly writes = new Map<string, Write>()
  /** What each client last read: the context, and in the model the writes behind it. */
  readonly #clients = [0, 1, 2].map(() => ({
    context: VersionVector.empty,
    seen: new Set<string>() as History,
  }))

  constructor(empty: State) {
    this.states = SERVERS.map(() => empty)
  }

  step(step: typeof arbitraryStep extends fc.Arbitrary<infer S> ? S : never): void {
    if ('put' in step) this.#put(step.put, step.client, step.reads)
    else if ('read' in step) this.#read(step.read, step.client)
    else this.#exchange(step.from, step.to)
  }

  #read(server: number, client: number): void {
    const seen = this.histories[server]!
    this.#clients[client] = { context: this.states[server]!.context(), seen }
  }

  #put(server: number, client: number, reads: boolean): void {
    if (reads) this.#read(server, client)
    const { context, seen } = this.#clients[client]!
    const id = SERVERS[server]!
    const own = [...this.writes.keys()].filter((dot) => dot.startsWith(`${id} `)).length
    const dot = `${id} ${own + 1}`
    this.writes.set(dot, { dot, seen })
    this.states[server] = this.states[server]!.put(dot, context, id)
    this.histories[server] = new Set([...this.histories[server]!, ...seen, dot])
  }

  #exchange(from: number, to: number): void {
    this.states[to] = this.states[to]!.sync(this.states[from]!)
    this.histories[to] = new Set([...this.histories[to]!, ...this.histories[from]!])
  }

  /** The writes that reached a server and that no other one which reached it had seen. */
  expected(server: number): string[] {
    const known = [...this.histories[server]!].map((dot) => this.writes.get(dot)!)
    return known
      .filter(({ dot }) => !known.some(({ seen }) => seen.has(dot)))
      .map(({ dot }) => dot)
      .sort()
  }
}

const modelLaw = (empty: State) =>
  fc.property(arbitrarySteps, (steps) => {
    const store = new Store(empty)
    for (const step of steps) {
      store.step(step)
      for (const [server, state] of store.states.entries()) {
        expect(state.values().toSorted()).toEqual(store.expected(server))
        // Each dot is issued once: the context counts exactly the writes that are known.
        const dots = [...store.histories[server]!].map((dot) => dot.split(' ')[0]!)
        for (const id of SERVERS) {
          const issued = dots.filter((dot) => dot === id).length
          expect(state.context().get(id)).toBeGreaterThanOrEqual(issued)
        }
      }
    }
  })

const ours = new Dvv<string>() as State
const caught = { numRuns: 500, seed: 1 }

/** Siblings told apart by a server's counter alone: whoever writes second covers the first. */
class PlainVector implements State {
  readonly #siblings: readonly { vector: VersionVector; value: string }[]

  constructor(siblings: readonly { vector: VersionVector; value: string }[] = []) {
    this.#siblings = siblings
  }

  put(value: string, context: VersionVector, server: string): State {
    const own = this.context().get(server)
    const raised = context.merge(VersionVector.of({ [server]: own })).increment(server)
    const rest = this.#siblings.filter(({ vector }) => !raised.descends(vector))
    return new PlainVector([...rest, { vector: raised, value }])
  }

  sync(other: PlainVector): State {
    const all = [...this.#siblings, ...other.#siblings]
    const kept = all.filter(({ vector }, i) => {
      const isOlder = all.some((each) => each.vector.dominates(vector))
      return !isOlder && all.findIndex((each) => each.vector.equals(vector)) === i
    })
    return new PlainVector(kept)
  }

  values(): string[] {
    return this.#siblings.map(({ value }) => value)
  }

  context(): VersionVector {
    return this.#siblings.reduce((all, { vector }) => all.merge(vector), VersionVector.empty)
  }
}

/** Never forgets a sibling at sync, as if overwritten and never seen were the same. */
class Hoarder implements State {
  readonly #state: Dvv<string>
  readonly #kept: ReadonlySet<string>

  constructor(state: Dvv<string> = new Dvv(), kept: ReadonlySet<string> = new Set()) {
    this.#state = state
    this.#kept = kept
  }

  put(value: string, context: VersionVector, server: string): State {
    return new Hoarder(this.#state.put(value, context, server))
  }

  sync(other: Hoarder): State {
    const kept = new Set([...this.values(), ...other.values()])
    return new Hoarder(this.#state.sync(other.#state), kept)
  }

  values(): string[] {
    return [...new Set([...this.#kept, ...this.#state.values()])]
  }

  context(): VersionVector {
    return this.#state.context()
  }
}

describe('a dotted version vector set', () => {
  test('holds exactly the writes that no known write had seen', () => {
    fc.assert(modelLaw(ours), { numRuns: 500 })
  })

  test('law catches plain vectors, which cover a write that nobody had read', () => {
    expect(fc.check(modelLaw(new PlainVector()), caught).failed).toBe(true)
  })

  test('law catches one that keeps what the other side has overwritten', () => {
    expect(fc.check(modelLaw(new Hoarder()), caught).failed).toBe(true)
  })

  test('never has more siblings than clients that write apart', () => {
    const law = fc.property(arbitrarySteps, (steps) => {
      const store = new Store(ours)
      for (const step of steps) store.step('put' in step ? { ...step, reads: true } : step)
      // Every client reads the server before it writes there: apart are only the servers.
      for (const state of store.states) {
        expect(state.values().length).toBeLessThanOrEqual(SERVERS.length)
      }
    })
    fc.assert(law, { numRuns: 200 })
  })

  test('has one value after a write that has just read, at any time', () => {
    const law = fc.property(arbitrarySteps, fc.nat(3), (steps, server) => {
      const store = new Store(ours)
      for (const step of steps) store.step(step)
      const state = store.states[server]!
      expect(state.put('x', state.context(), SERVERS[server]!).values()).toEqual(['x'])
    })
    fc.assert(law, { numRuns: 200 })
  })

  test('is a semilattice under sync, on states that servers reach', () => {
    const law = fc.property(arbitrarySteps, (steps) => {
      const store = new Store(ours)
      for (const step of steps) store.step(step)
      const [a, b, c] = store.states as [State, State, State]
      const same = (x: State, y: State) => {
        expect(x.values()).toEqual(y.values())
        expect(x.context().equals(y.context())).toBe(true)
      }
      same(a.sync(a), a)
      same(a.sync(b), b.sync(a))
      same(a.sync(b).sync(c), a.sync(b.sync(c)))
      same(a.sync(ours), a)
    })
    fc.assert(law, { numRuns: 300 })
  })
})
