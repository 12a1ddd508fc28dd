import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { ClockEvent } from '../playgrounds/clock-history.ts'
import { COLUMNS } from '../playgrounds/clock-marks.ts'
import { ClockModel, othersOf } from '../playgrounds/clock-model.ts'

type Deed = (model: ClockModel) => void

const replicas = fc.integer({ min: 0, max: 2 })
const columns = fc.integer({ min: 0, max: COLUMNS - 1 })
const deeds = fc.array(
  fc.oneof<fc.Arbitrary<Deed>[]>(
    fc.tuple(replicas, columns, fc.boolean()).map(([by, at, isBlind]) => (model: ClockModel) => {
      model.write(by, at, isBlind)
    }),
    fc.tuple(replicas, columns, replicas, columns).map(([by, at, to, until]) => (model) => {
      model.send(by, at, to, until)
    }),
    fc.tuple(replicas, columns, columns, columns).map(([by, at, one, two]) => (model) => {
      model.setMode('broadcast')
      model.broadcast(by, at, [one, two])
      model.setMode('order')
    }),
    fc.nat(20).map((number) => (model) => model.choose(number)),
    fc.nat(20).map((number) => (model) => model.removeEvent(number)),
    fc.integer({ min: -1, max: COLUMNS - 1 }).map((column) => (model) => model.goTo(column)),
  ),
  { maxLength: 10 },
)

function done(seed: number, how: readonly Deed[]): ClockModel {
  const model = ClockModel.fromText(`seed:${seed}`)
  for (const deed of how) deed(model)
  return model
}

/** Which events led to an event: those before it at its replica, and what was sent to it. */
function causesOf(event: ClockEvent, history: readonly ClockEvent[]): Set<ClockEvent> {
  const causes = new Set<ClockEvent>()
  const visit = (one: ClockEvent): void => {
    for (const other of history) {
      const isEarlier = other.by === one.by && other.at < one.at
      const isSender = one.kind === 'receive' && other.kind === 'send' && other.mark === one.mark
      if ((isEarlier || isSender) && !causes.has(other)) {
        causes.add(other)
        visit(other)
      }
    }
  }
  visit(event)
  return causes
}

describe('the playground of the clocks', () => {
  test.prop([fc.nat(999), deeds], { numRuns: 40 })(
    'says before exactly where there is a way from one event to the other',
    (seed, how) => {
      const { history } = done(seed, how)
      for (const one of history) {
        const causes = causesOf(one, history)
        for (const other of history) {
          if (other === one) continue
          expect(other.vector.compare(one.vector) === 'before').toBe(causes.has(other))
          if (causes.has(other)) expect(other.lamport).toBeLessThan(one.lamport)
        }
      }
    },
  )

  test.prop([fc.nat(999), deeds], { numRuns: 40 })('is read back from its text', (seed, how) => {
    const model = done(seed, how)
    const again = ClockModel.fromText(model.toText())
    expect(again.toText()).toBe(model.toText())
    expect(again.history).toEqual(model.history)
    expect(again.deliveries).toEqual(model.deliveries)
    expect(again.verdict).toBe(model.verdict)
  })

  test.prop([fc.nat(999), deeds], { numRuns: 40 })(
    'delivers no message before those that its sender had delivered',
    (seed, how) => {
      const { deliveries } = done(seed, how)
      for (const one of deliveries) {
        if (one.deliveredAt < 0) continue
        const earlier = deliveries.filter(({ to, cast }) => {
          const known = deliveries.find((other) => other.cast === cast && other.to === one.cast.by)
          const isSeen = known !== undefined && known.deliveredAt >= 0
          return to === one.to && isSeen && known.deliveredAt < one.cast.at
        })
        for (const other of earlier) {
          expect(other.deliveredAt).toBeGreaterThanOrEqual(0)
          expect(other.deliveredAt).toBeLessThanOrEqual(one.deliveredAt)
        }
      }
    },
  )

  test('keeps what two replicas wrote apart as siblings until one has read both', () => {
    const model = ClockModel.fromText('marks:')
    model.write(0, 0)
    model.write(1, 0)
    model.send(0, 1, 1, 3)
    expect(model.history.at(-1)!.values).toEqual(['a', 'b'])
    model.write(1, 4)
    expect(model.history.at(-1)!.values).toEqual(['c'])
  })

  test('lets a write that has read nothing stand beside what is there', () => {
    const model = ClockModel.fromText('marks:0o,1o!')
    expect(model.history.at(-1)!.values).toHaveLength(2)
  })

  test('holds back an answer that overtakes its question', () => {
    const model = ClockModel.fromText('mode:broadcast;casts:0o2.8,4r5.6')
    const late = model.deliveries.filter(({ arrivedAt, deliveredAt }) => deliveredAt > arrivedAt)
    expect(late).toMatchObject([{ to: 2, arrivedAt: 6, deliveredAt: 8 }])
    expect(late[0]!.missing).toEqual([{ id: 'oslo', from: 1, to: 1 }])
    const [cast] = model.casts
    model.delay(cast!, 2, 3)
    expect(model.deliveries.every((one) => one.arrivedAt === one.deliveredAt)).toBe(true)
  })

  test('refuses what has no room', () => {
    const model = ClockModel.fromText('marks:')
    for (let at = 0; at < COLUMNS; at++) expect(model.write(0, 0)).toBe(true)
    expect(model.write(0, 0)).toBe(false)
    expect(model.send(0, 0, 1, 5)).toBe(false)
    expect(model.send(1, COLUMNS - 1, 0, COLUMNS - 1)).toBe(false)
  })

  test('goes column by column, and from the last to before the first', () => {
    const model = ClockModel.fromText('')
    expect(model.isOver).toBe(true)
    model.step()
    expect([model.now, model.history.length]).toEqual([-1, 0])
    for (let at = 0; at < COLUMNS; at++) model.step()
    expect(model.isOver).toBe(true)
    expect(othersOf(1)).toEqual([0, 2])
  })

  test.each(['marks:0o0r', 'marks:5o3r', 'marks:0o0o', 'marks:99o', 'marks:0x'])(
    'leaves out what cannot be: %s',
    (text) => {
      expect(ClockModel.fromText(text).marks).toEqual([])
    },
  )
})
