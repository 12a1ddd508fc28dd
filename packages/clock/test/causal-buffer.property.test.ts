// Causal delivery over random broadcasts: a linear extension, each message once, all of them, and
// the same set whatever the order of arrival.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { CausalBuffer, VersionVector } from '../src/index.ts'
import { apart } from './arbitrary-vector.ts'

/** A broadcast message, with the messages that its sender had delivered before. */
interface Message {
  readonly index: number
  readonly from: string
  readonly stamp: VersionVector
  readonly after: ReadonlySet<number>
}

/** What a law needs of a buffer. */
interface Buffer {
  receive(from: string, stamp: VersionVector, message: Message): number
}
type MakeBuffer = (deliver: (message: Message) => void) => Buffer

const MEMBERS = ['a', 'b', '__proto__', 'constructor', '']

/** A step: a member delivers some of what is in its inbox, then may send. */
const arbitraryRun = fc.array(
  fc.record({ who: fc.nat(4), hears: fc.nat(6), sends: fc.boolean(), isApart: fc.boolean() }),
  { size: 'max', maxLength: 40 },
)

/** The messages of a run, with what each depends on kept apart from any clock. */
function broadcasts(run: typeof arbitraryRun extends fc.Arbitrary<infer R> ? R : never): Message[] {
  const sent: Message[] = []
  const members = MEMBERS.map((id) => {
    const after = new Set<number>()
    const deliver = (message: Message) => {
      after.add(message.index)
      for (const earlier of message.after) after.add(earlier)
    }
    return { id, after, heard: 0, buffer: new CausalBuffer<Message>({ self: id, deliver }) }
  })
  for (const { who, hears, sends, isApart } of run) {
    const member = members[who]!
    for (const message of sent.slice(member.heard, member.heard + hears)) {
      member.heard++
      member.buffer.receive(message.from, message.stamp, message)
    }
    if (!sends) continue
    const stamp = member.buffer.send()
    const after = new Set(member.after)
    const message = { index: sent.length, from: member.id, stamp, after }
    sent.push(isApart ? { ...message, stamp: apart(stamp) } : message)
    member.after.add(message.index)
  }
  return sent
}

const causalLaw = (make: MakeBuffer) =>
  fc.property(arbitraryRun, fc.infiniteStream(fc.nat()), fc.boolean(), (run, dice, twice) => {
    const messages = broadcasts(run)
    const arrivals = shuffle(twice ? [...messages, ...messages] : messages, dice)
    const delivered: Message[] = []
    const buffer = make((message) => delivered.push(message))
    let count = 0
    for (const message of arrivals) count += buffer.receive(message.from, message.stamp, message)
    expect(count).toBe(messages.length)
    expect(new Set(delivered).size).toBe(delivered.length)
    expect(delivered.length).toBe(messages.length)
    for (const [i, message] of delivered.entries()) {
      const before = new Set(delivered.slice(0, i).map(({ index }) => index))
      for (const earlier of message.after) expect(before.has(earlier)).toBe(true)
    }
  })

const ours: MakeBuffer = (deliver) => new CausalBuffer<Message>({ deliver })
const caught = { numRuns: 300, seed: 1 }

/** Delivers whatever its `isNext` lets through, rescanning all that wait. */
function rescan(
  isNext: (delivered: VersionVector, from: string, stamp: VersionVector) => boolean,
  isOnce = true,
): MakeBuffer {
  return (deliver) => {
    let known = VersionVector.empty
    let waiting: Message[] = []
    return {
      receive(from, stamp, message) {
        const isKnown = isOnce && (stamp.get(from) <= known.get(from) || waiting.includes(message))
        if (isKnown) return 0
        waiting.push(message)
        let count = 0
        for (;;) {
          const next = waiting.find((each) => isNext(known, each.from, each.stamp))
          if (next === undefined) return count
          waiting = waiting.filter((each) => each !== next)
          known = known.merge(VersionVector.of([[next.from, next.stamp.get(next.from)]]))
          deliver(next)
          count++
        }
      },
    }
  }
}

const needsAll = (known: VersionVector, from: string, stamp: VersionVector): boolean => {
  return [...stamp.entries()].every(([id, n]) => n <= known.get(id) + (id === from ? 1 : 0))
}

describe('causal delivery', () => {
  test('is a linear extension of what each sender had heard, complete, each message once', () => {
    fc.assert(causalLaw(ours), { numRuns: 300 })
  })

  test('law holds for the obvious rescan', () => {
    fc.assert(causalLaw(rescan(needsAll)), { numRuns: 100 })
  })

  test('law catches order by sender alone', () => {
    const fifo = rescan((known, from, stamp) => stamp.get(from) === known.get(from) + 1)
    expect(fc.check(causalLaw(fifo), caught).failed).toBe(true)
  })

  test('law catches one that does not ask for the message before of the same sender', () => {
    const others = rescan((known, from, stamp) => {
      return [...stamp.entries()].every(([id, n]) => id === from || n <= known.get(id))
    })
    expect(fc.check(causalLaw(others), caught).failed).toBe(true)
  })

  test('law catches one that delivers duplicates', () => {
    expect(fc.check(causalLaw(rescan(needsAll, false)), caught).failed).toBe(true)
  })

  test('asks for exactly what is not there and stands in the way', () => {
    const law = fc.property(arbitraryRun, fc.infiniteStream(fc.boolean()), (run, dice) => {
      const messages = broadcasts(run)
      const arrived = messages.filter(() => dice.next().value)
      const buffer = new CausalBuffer<Message>({ deliver: () => {} })
      for (const { from, stamp, ...rest } of arrived) {
        buffer.receive(from, stamp, { from, stamp, ...rest })
      }
      const asked = messages.filter(({ from, stamp }) => {
        const n = stamp.get(from)
        return buffer.missing().some((each) => each.id === from && each.from <= n && n <= each.to)
      })
      const isWaiting = (message: Message) => {
        return message.stamp.get(message.from) > buffer.delivered().get(message.from)
      }
      const needed = new Set(arrived.filter(isWaiting).flatMap(({ after }) => [...after]))
      const absent = messages.filter((each) => needed.has(each.index) && !arrived.includes(each))
      expect(asked).toEqual(absent)
      for (const { from, stamp, ...rest } of asked) {
        buffer.receive(from, stamp, { from, stamp, ...rest })
      }
      expect([buffer.size, buffer.missing()]).toEqual([0, []])
    })
    fc.assert(law, { numRuns: 200 })
  })
})

function shuffle<T>(items: readonly T[], dice: fc.Stream<number>): T[] {
  const left = [...items]
  return items.map(() => left.splice(dice.next().value % left.length, 1)[0]!)
}
