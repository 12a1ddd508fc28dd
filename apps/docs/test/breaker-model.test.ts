import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  BreakerModel,
  COLUMN_STEPS,
  MIN_CALLS,
  OPEN_TIMES,
  PROBES,
  RATES,
  STEP_MS,
  TAPE_STEPS,
} from '../playgrounds/breaker-model.ts'

type Deed = (model: BreakerModel) => void

const deeds = fc.array(
  fc.oneof<fc.Arbitrary<Deed>[]>(
    fc.integer({ min: 0, max: 100 }).map((failing) => (model) => model.setWeather({ failing })),
    fc.constantFrom(20, 400, 2000).map((latencyMs) => (model) => model.setWeather({ latencyMs })),
    fc.integer({ min: 1, max: 40 }).map((load) => (model) => model.setWeather({ load })),
    fc.integer({ min: 1, max: 120 }).map((steps) => (model) => model.runTo(model.steps + steps)),
  ),
  { maxLength: 10 },
)
const limits = fc.record({
  seed: fc.nat(999),
  rate: fc.constantFrom(...RATES),
  minCalls: fc.constantFrom(...MIN_CALLS),
  openMs: fc.constantFrom(...OPEN_TIMES),
  probes: fc.constantFrom(...PROBES),
})

describe('the playground of the breaker', () => {
  test.prop([limits, deeds], { numRuns: 40 })('is read back from its text', (given, done) => {
    const model = new BreakerModel(given)
    for (const deed of done) deed(model)
    const again = BreakerModel.fromText(model.toText())
    expect(again.toText()).toBe(model.toText())
    expect(again.columns).toEqual(model.columns)
    expect(again.turns).toEqual(model.turns)
    expect(again.traces).toEqual(model.traces)
    expect(again.breaker.counts()).toEqual(model.breaker.counts())
  })

  test.prop([limits, deeds], { numRuns: 40 })('tells of every call once', (given, done) => {
    const model = new BreakerModel(given)
    for (const deed of done) deed(model)
    const { ok, fail, rejected, admitted, inFlight } = model.breaker.counts()
    const sum = (name: 'ok' | 'fail' | 'refused'): number =>
      model.columns.reduce((all, column) => all + column[name], 0)
    expect([sum('ok'), sum('fail'), sum('refused')]).toEqual([ok, fail, rejected])
    expect(ok + fail + inFlight).toBe(admitted)
  })

  test('opens when the service fails, tries with probes, and closes when it is well', () => {
    const model = BreakerModel.fromText('at:0;tape:0f100l100c20,200f0l100c20')
    model.runTo(600)
    const [open, probing] = model.turns
    expect(open).toMatchObject({ to: 'open', cause: 'failures', remainingMs: 3000 })
    expect(probing).toMatchObject({ to: 'half-open', atMs: open!.atMs + 3000 })
    expect(model.turns.at(-1)).toMatchObject({ to: 'closed', cause: 'probes' })
    expect(model.breaker.counts().rejected).toBeGreaterThan(20)
  })

  test('lets nothing through while it is open', () => {
    const model = BreakerModel.fromText('at:0;tape:0f100l40c20;probes:1')
    model.runTo(600)
    const openColumns = model.columns.filter((column, at) => {
      return column.state === 'open' && model.columns[at - 1]?.state === 'open' && column.fail === 0
    })
    expect(openColumns.length).toBeGreaterThan(5)
    for (const { ok, refused } of openColumns) {
      expect(ok).toBe(0)
      expect(refused).toBe((20 * COLUMN_STEPS * STEP_MS) / 1000)
    }
  })

  test('counts slow calls as failed once they take a second', () => {
    const model = BreakerModel.fromText('at:0;tape:0f0l2000c20')
    model.runTo(100)
    expect(model.turns[0]).toMatchObject({ to: 'open' })
  })

  test('runs the same day again under other limits', () => {
    const model = BreakerModel.fromText('at:400')
    const { weather, tape } = model
    model.set({ rate: 80, minCalls: 40 })
    expect([model.steps, model.weather, model.tape]).toEqual([400, weather, tape])
  })

  test('has a window that holds what the counts say', () => {
    const model = BreakerModel.fromText('at:100')
    const { calls, failures } = model.breaker.counts()
    const sum = (name: 'calls' | 'failures'): number =>
      model.buckets.reduce((all, bucket) => all + bucket[name], 0)
    expect([sum('calls'), sum('failures')]).toEqual([calls, failures])
  })

  test('comes to an end', () => {
    const model = BreakerModel.fromText(`at:${TAPE_STEPS}`)
    expect(model.isOver).toBe(true)
    model.step()
    expect(model.steps).toBe(TAPE_STEPS)
    model.restart()
    expect([model.steps, model.columns, model.turns]).toEqual([0, [], []])
  })
})
