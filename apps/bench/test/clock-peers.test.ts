// What the README of @ashlar/clock says of the peers, proved on the peers as installed here. Ours
// stand the same cases in packages/clock/test (version-vector.test.ts and
// hybrid-logical-clock.test.ts). A case that fails here was mended by a peer: mend the README.

import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  ConsentoClock,
  type PlainClock,
  Timestamp,
  thing,
  vectorclock,
} from '../src/clock-peers.ts'

const increment = {
  '@thi.ng/vclock': (clock: PlainClock, id: string) => thing.inc(clock, id),
  vectorclock: (clock: PlainClock, id: string) => vectorclock.increment({ ...clock }, id),
}
const PEERS = [
  { name: '@thi.ng/vclock', peer: thing, same: thing.equiv },
  { name: 'vectorclock', peer: vectorclock, same: vectorclock.isIdentical },
] as const

describe.each(PEERS)('$name', ({ name, peer, same }) => {
  test('has one answer for equal and concurrent', () => {
    expect(peer.compare({ a: 1 }, { a: 1 })).toBe(0)
    expect(peer.compare({ a: 1 }, { b: 1 })).toBe(0)
  })

  test('calls a clock concurrent with itself', () => {
    expect(peer.isConcurrent({ a: 1 }, { a: 1 })).toBe(true)
  })

  test('makes text of the counter of a replica called constructor', () => {
    const counter = increment[name]({}, 'constructor').constructor as unknown
    expect(counter).toBe('function Object() { [native code] }1')
  })

  test('does not agree with itself whether an entry of 0 is one', () => {
    expect(peer.compare({ a: 0 }, {})).toBe(0)
    expect(same({ a: 0 }, {})).toBe(false)
  })
})

describe('vectorclock', () => {
  test('loses every event of a replica called __proto__', () => {
    const clock = increment.vectorclock(increment.vectorclock({}, '__proto__'), '__proto__')
    expect(Object.keys(clock)).toEqual([])
  })

  test('takes a replica called clock for the clock', () => {
    const clock = increment.vectorclock({ clock: 1 }, 'a')
    expect(clock).toEqual({ clock: 1 })
  })

  test('has a recipe for read repair that loses the newest value in some orders', () => {
    const answers = [{ a: 1 }, { b: 1 }, { a: 2 }].map((clock) => ({ clock }))
    const outcomes = permutations(answers).map((order) => JSON.stringify(readRepair(order)))
    const distinct = new Set(outcomes)
    expect(distinct.size).toBe(3)
    expect([...distinct].some((kept) => !kept.includes('{"a":2}'))).toBe(true)
  })

  test('sorts by a partial order: as many results as the input has kinds of order', () => {
    const answers = [{ a: 1 }, { b: 1 }, { a: 2 }].map((clock) => ({ clock }))
    const sorted = permutations(answers).map((order) => {
      return JSON.stringify(order.sort(vectorclock.descSort))
    })
    expect(new Set(sorted).size).toBe(4)
  })
})

describe('@consento/hlc', () => {
  test('stops when its own wall clock steps back further than maxOffset', () => {
    let wall = 1_700_000_000_000_000_000n
    const clock = new ConsentoClock({ wallTime: () => wall, maxOffset: 60_000_000_000n })
    clock.now()
    wall -= 3_600_000_000_000n
    expect(() => clock.now()).toThrow(ConsentoClock.ClockOffsetError)
    expect(() => clock.now()).toThrow(ConsentoClock.ClockOffsetError)
  })

  test('stops for good after a sleep longer than the tolerated jump', () => {
    let wall = 1_700_000_000_000_000_000n
    const toleratedForwardClockJump = 60_000_000_000n
    const clock = new ConsentoClock({ wallTime: () => wall, toleratedForwardClockJump })
    clock.now()
    wall += 3_600_000_000_000n
    for (let i = 0; i < 3; i++) {
      expect(() => clock.now()).toThrow(ConsentoClock.ForwardJumpError)
    }
  })
})

describe('@actual-app/crdt', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('refuses to send when the wall clock steps back six minutes', () => {
    const now = vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000)
    Timestamp.init({ node: '0123456789abcdef' })
    Timestamp.send()
    now.mockReturnValue(1_700_000_000_000 - 6 * 60_000)
    expect(() => Timestamp.send()).toThrow(Timestamp.ClockDriftError)
  })

  test('refuses to send more than 65,536 times in one millisecond', () => {
    vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000)
    Timestamp.init({ node: '0123456789abcdef' })
    for (let i = 0; i < 65_536; i++) Timestamp.send()
    expect(() => Timestamp.send()).toThrow(Timestamp.OverflowError)
  })
})

/** The recipe of vectorclock's README, step by step. */
function readRepair(answers: { clock: PlainClock }[]): { clock: PlainClock }[] {
  const [newest, ...rest] = answers.toSorted(vectorclock.descSort)
  const kept = rest.filter((item) => {
    return vectorclock.isConcurrent(item, newest!) && !vectorclock.isIdentical(item, newest!)
  })
  return [newest!, ...kept]
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) =>
    permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]),
  )
}
