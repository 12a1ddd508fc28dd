// The characterisation of each clock: in random histories its order against what happened before
// what, found by reachability.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { causalSort, compareHlc, encodeHlc, VectorClock, type VersionVector } from '../src/index.ts'
import {
  type Clocks,
  type Event,
  historyLaw,
  ourClocks,
  type Start,
  type World,
} from './simulated-history.ts'

/** Calls `judge` for each two different events with whether the first happened before. */
function eachPair(
  world: World,
  judge: (e: Event, f: Event, isBefore: boolean, isAfter: boolean) => void,
): void {
  const ancestors = world.ancestors()
  for (const e of world.events) {
    for (const f of world.events.slice(e.index + 1)) {
      judge(e, f, ancestors[f.index]!.has(e.index), ancestors[e.index]!.has(f.index))
    }
  }
}

function strongClockCondition(world: World): void {
  eachPair(world, (e, f, isBefore, isAfter) => {
    const expected = isBefore ? 'before' : isAfter ? 'after' : 'concurrent'
    expect(e.vector.compare(f.vector)).toBe(expected)
    expect(f.vector.dominates(e.vector)).toBe(isBefore)
  })
}

function clockCondition(world: World): void {
  eachPair(world, (e, f, isBefore) => {
    if (isBefore) expect(e.lamport).toBeLessThan(f.lamport)
  })
}

function hybridOrder(world: World): void {
  eachPair(world, (e, f, isBefore) => {
    if (isBefore) expect(compareHlc(e.hlc, f.hlc)).toBeLessThan(0)
    const texts = encodeHlc(e.hlc) < encodeHlc(f.hlc)
    expect(texts).toBe(compareHlc(e.hlc, f.hlc) < 0)
  })
}

const runs = { numRuns: 300 }
const caught = { numRuns: 300, seed: 1 }

describe('vector clocks', () => {
  test('order two events exactly as happened-before does, in both directions', () => {
    fc.assert(historyLaw(strongClockCondition), runs)
  })

  test('law catches a clock that does not count receipts', () => {
    const twin = withVector((start) => {
      const { vector } = ourClocks(start)
      let known = vector.snapshot()
      return {
        tick: () => {
          known = known.increment(`${start.name}~${start.incarnation}`)
          return 0
        },
        snapshot: () => known,
        receive: (stamp) => {
          known = known.merge(stamp)
        },
      }
    })
    expect(fc.check(historyLaw(strongClockCondition, twin), caught).failed).toBe(true)
  })

  test('law catches a replica that lost its memory and goes on under its old id', () => {
    const twin = withVector((start) => forgetful(start.name))
    expect(fc.check(historyLaw(strongClockCondition, twin), caught).failed).toBe(true)
  })

  test('refuse what a replica that lost its memory must not hear under its old id', () => {
    const twin = withVector(({ name }) => new VectorClock(name))
    const law = historyLaw(() => {}, twin)
    const { failed, errorInstance } = fc.check(law, caught)
    expect(failed).toBe(true)
    expect(errorInstance).toMatchObject({ code: 'FUTURE_CONTEXT' })
  })
})

describe('Lamport clocks', () => {
  test('number causes below their effects', () => {
    fc.assert(historyLaw(clockCondition), runs)
  })

  test('prove nothing in the other direction', () => {
    const converse = (world: World) =>
      eachPair(world, (e, f, isBefore) => {
        if (e.lamport < f.lamport) expect(isBefore).toBe(true)
      })
    expect(fc.check(historyLaw(converse), caught).failed).toBe(true)
  })

  test('law catches one that does not listen', () => {
    const deaf = (start: Start): Clocks => {
      const clocks = ourClocks(start)
      const { lamport } = clocks
      return { ...clocks, lamport: { tick: () => lamport.tick(), receive: () => lamport.tick() } }
    }
    expect(fc.check(historyLaw(clockCondition, deaf), caught).failed).toBe(true)
  })
})

describe('hybrid logical clocks', () => {
  test('order causes below their effects, whatever the wall clocks say, and as text alike', () => {
    fc.assert(historyLaw(hybridOrder), runs)
  })

  test('are a linear extension of the order of vectors on the same run', () => {
    const extension = (world: World) => {
      const inOrder = world.events.toSorted((e, f) => compareHlc(e.hlc, f.hlc))
      expectExtension(inOrder.map(({ vector }) => vector))
    }
    fc.assert(historyLaw(extension), runs)
  })

  test('never run ahead of the largest wall clock that was read', () => {
    const bounded = (world: World) => {
      for (const { hlc, wallSeen } of world.events) expect(hlc.wall).toBeLessThanOrEqual(wallSeen)
    }
    fc.assert(historyLaw(bounded), runs)
  })

  test('grow from life to life where the bound was persisted', () => {
    const monotone = (world: World) => {
      const last = new Map<string, Event>()
      for (const event of world.events) {
        const before = last.get(event.hlc.node)
        if (before) expect(compareHlc(before.hlc, event.hlc)).toBeLessThan(0)
        last.set(event.hlc.node, event)
      }
    }
    fc.assert(historyLaw(monotone), runs)
    const unpersisted = (start: Start) => ourClocks({ ...start, last: undefined })
    expect(fc.check(historyLaw(monotone, unpersisted), caught).failed).toBe(true)
  })

  test('law catches one that ignores what it receives', () => {
    const deaf = (start: Start): Clocks => {
      const clocks = ourClocks(start)
      const { hlc } = clocks
      return { ...clocks, hlc: { now: () => hlc.now(), receive: () => hlc.now() } }
    }
    expect(fc.check(historyLaw(hybridOrder, deaf), caught).failed).toBe(true)
  })

  test('law catches one that follows the wall clock back', () => {
    const follower = (start: Start): Clocks => {
      let logical = 0
      const read = () => ({ wall: start.now(), logical: logical++ % 60_000, node: start.name })
      return { ...ourClocks(start), hlc: { now: read, receive: read } }
    }
    expect(fc.check(historyLaw(hybridOrder, follower), caught).failed).toBe(true)
  })
})

type Sort = (events: readonly Event[]) => Event[]

const byIndex = (e: Event, f: Event) => e.index - f.index
/** Against the order in which things happened, so that nothing is right by the tie-break alone. */
const backwards = (e: Event, f: Event) => f.index - e.index

const sortLaw = (sort: Sort) =>
  historyLaw((world) => {
    const sorted = sort(world.events)
    expectExtension(sorted.map(({ vector }) => vector))
    expect(sort(world.events.toReversed())).toEqual(sorted)
    expect(sorted.toSorted(byIndex)).toEqual(world.events)
  })

describe('causalSort', () => {
  test('is a linear extension, whatever the order of its input', () => {
    const ours: Sort = (events) => causalSort(events, ({ vector }) => vector, backwards)
    fc.assert(sortLaw(ours), runs)
  })

  test('law catches a sort with a partial order for a comparator', () => {
    const sign = { before: -1, equal: 0, after: 1, concurrent: 0 }
    const partial: Sort = (events) =>
      events.toSorted((e, f) => sign[e.vector.compare(f.vector)] || 0)
    expect(fc.check(sortLaw(partial), caught).failed).toBe(true)
  })

  test('places two items alike in every row that they are both in', () => {
    const stable = (world: World) => {
      const sorted = causalSort(world.events, ({ vector }) => vector, backwards)
      const some = world.events.filter(({ index }) => index % 3 !== 0)
      expect(causalSort(some, ({ vector }) => vector, backwards)).toEqual(
        sorted.filter(({ index }) => index % 3 !== 0),
      )
    }
    fc.assert(historyLaw(stable), runs)
  })
})

function expectExtension(vectors: readonly VersionVector[]): void {
  for (const [i, vector] of vectors.entries()) {
    for (const later of vectors.slice(i + 1)) expect(later.compare(vector)).not.toBe('before')
  }
}

function withVector(make: (start: Start) => Clocks['vector']): (start: Start) => Clocks {
  return (start) => ({ ...ourClocks(start), vector: make(start) })
}

/** A clock that starts at nothing under the same id and believes all it hears. */
function forgetful(id: string): Clocks['vector'] {
  let clock = new VectorClock(id)
  return {
    tick: () => clock.tick(),
    snapshot: () => clock.snapshot(),
    receive: (stamp) => {
      clock = new VectorClock(id, clock.snapshot().merge(stamp))
      clock.tick()
    },
  }
}
