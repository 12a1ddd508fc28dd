import { describe, expect, test } from 'vitest'
import { LamportClock, nameOf, replicaId, VectorClock, VersionVector } from '../src/index.ts'
import { NASTY_IDS } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const of = VersionVector.of

describe('a vector clock', () => {
  test('counts local events, sending and receipt, and learns what the sender knew', () => {
    const oslo = new VectorClock('oslo')
    const rome = new VectorClock('rome')
    expect([oslo.tick(), oslo.tick()]).toEqual([1, 2])
    const sent = oslo.send()
    expect(sent.toJSON()).toEqual({ oslo: 3 })
    expect(rome.receive(sent)).toBe(1)
    expect(rome.snapshot().toJSON()).toEqual({ oslo: 3, rome: 1 })
    expect(rome.dot).toEqual({ id: 'rome', counter: 1 })
    expect([rome.get('oslo'), rome.get('rome'), rome.get('bonn'), rome.counter]).toEqual([
      3, 1, 0, 1,
    ])
  })

  test('hands out snapshots that later events do not change', () => {
    const clock = new VectorClock('a')
    const none = clock.snapshot()
    clock.tick()
    const one = clock.snapshot()
    expect(clock.snapshot()).toBe(one)
    clock.tick()
    clock.receive(of({ b: 4 }))
    const later = clock.snapshot()
    clock.receive(of({ a: 3, b: 5 }))
    clock.tick()
    expect([none, one, later].map((v) => v.toJSON())).toEqual([{}, { a: 1 }, { a: 3, b: 4 }])
    expect(clock.snapshot().toJSON()).toEqual({ a: 5, b: 5 })
  })

  test('does not change the vector that it starts from', () => {
    const from = of({ a: 3, b: 1 })
    const clock = new VectorClock('a', from)
    expect(clock.tick()).toBe(4)
    expect(clock.receive(of({ a: 4, b: 9 }))).toBe(5)
    expect(from.toJSON()).toEqual({ a: 3, b: 1 })
    expect(clock.snapshot().toJSON()).toEqual({ a: 5, b: 9 })
  })

  test('has no events of its own before the first', () => {
    const clock = new VectorClock('a', of({ b: 1 }))
    expect(clock.dot).toEqual({ id: 'a', counter: 0 })
    expect(clock.snapshot().toJSON()).toEqual({ b: 1 })
  })

  test('refuses a message that knows more of its events than it had, and stays as it was', () => {
    const before = new VectorClock('a')
    const stamps = [before.send(), before.send()]
    const after = new VectorClock('a')
    after.tick()
    expect(after.receive(stamps[0]!)).toBe(2)
    const lost = new VectorClock('a')
    expect(codeOf(() => lost.receive(stamps[1]!))).toBe('FUTURE_CONTEXT')
    expect(lost.snapshot().size).toBe(0)
  })

  test('under a new incarnation takes the messages that know its earlier life', () => {
    const first = new VectorClock(replicaId('a', 1))
    const sent = first.send()
    const second = new VectorClock(replicaId('a', 2))
    second.receive(sent)
    expect(second.snapshot().toJSON()).toEqual({ 'a~1': 1, 'a~2': 1 })
  })

  test('learns nothing from a message that it cannot count any more', () => {
    const clock = new VectorClock('a', of({ a: Number.MAX_SAFE_INTEGER }))
    expect(codeOf(() => clock.receive(of({ b: 1 })))).toBe('INVALID_COUNTER')
    expect(codeOf(() => clock.tick())).toBe('INVALID_COUNTER')
    expect(clock.get('b')).toBe(0)
  })

  test('takes any id that a vector takes, and no other', () => {
    for (const id of NASTY_IDS) {
      const clock = new VectorClock(id)
      expect([clock.tick(), clock.tick(), clock.get(id)]).toEqual([1, 2, 2])
    }
    expect(codeOf(() => new VectorClock('\udc00'))).toBe('INVALID_ID')
    expect(codeOf(() => new VectorClock(5 as never))).toBe('INVALID_ID')
  })
})

describe('a Lamport clock', () => {
  test('is above all that it has heard of', () => {
    const clock = new LamportClock('a')
    expect([clock.tick(), clock.receive(7), clock.receive(3), clock.counter]).toEqual([1, 8, 9, 9])
    expect(new LamportClock('a', 9).tick()).toBe(10)
  })

  test('has stamps in a total order, ties by node', () => {
    const stamps = [
      { counter: 2, node: 'a' },
      { counter: 1, node: 'b' },
      { counter: 1, node: 'a' },
    ]
    expect(stamps.toSorted(LamportClock.compare).map((s) => s.node + s.counter)).toEqual([
      ...['a1', 'b1', 'a2'],
    ])
    const clock = new LamportClock('a')
    clock.tick()
    expect(LamportClock.compare(clock.stamp, { counter: 1, node: 'a' })).toBe(0)
  })

  test('refuses what is no counter and stays as it was', () => {
    const clock = new LamportClock('a', 5)
    for (const counter of [-1, 0.5, Number.NaN, '7', null, 2 ** 53]) {
      expect(codeOf(() => clock.receive(counter as number))).toBe('INVALID_COUNTER')
      expect(codeOf(() => new LamportClock('a', counter as number))).toBe('INVALID_COUNTER')
    }
    expect(codeOf(() => clock.receive(Number.MAX_SAFE_INTEGER))).toBe('INVALID_COUNTER')
    expect(clock.counter).toBe(5)
    expect(codeOf(() => new LamportClock(1 as never))).toBe('INVALID_ID')
  })
})

describe('the id of an incarnation', () => {
  test('gives the name back, whatever is in it', () => {
    for (const name of [...NASTY_IDS, 'a~1', '~', 'a\nb']) {
      expect(nameOf(replicaId(name, 12))).toBe(name)
    }
  })

  test('differs for each name and life', () => {
    const ids = ['a', 'a~1', 'a~', ''].flatMap((name) => [0, 1, 11].map((n) => replicaId(name, n)))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('is refused where it is none', () => {
    for (const id of ['a', 'a~', 'a~01', 'a~-1', 'a~1.5', 'a~x']) {
      expect(codeOf(() => nameOf(id))).toBe('INVALID_ID')
    }
    expect(codeOf(() => replicaId('a', -1))).toBe('INVALID_COUNTER')
    expect(codeOf(() => replicaId('\ud800', 1))).toBe('INVALID_ID')
  })
})
