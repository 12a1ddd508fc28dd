import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { LAYOUTS, SAMPLES, takeApart, turnBit } from '../playgrounds/id-bits.ts'
import { HOLDS, IdModel, LEADS, TAPE_MS } from '../playgrounds/id-model.ts'

type Deed = (model: IdModel) => void

const deeds = fc.array(
  fc.oneof<fc.Arbitrary<Deed>[]>(
    fc.integer({ min: -60, max: 60 }).map((ms) => (model: IdModel) => model.pull(ms)),
    fc.integer({ min: 0, max: 9000 }).map((ids) => (model: IdModel) => model.burst(ids)),
    fc.constantFrom(1, 3, 10).map((rate) => (model: IdModel) => model.setRate(rate)),
    fc.integer({ min: 1, max: 20 }).map((steps) => (model: IdModel) => {
      for (let i = 0; i < steps; i++) model.step()
    }),
  ),
  { maxLength: 8 },
)
const settings = fc.record({
  maxHoldMs: fc.constantFrom(...HOLDS),
  maxLeadMs: fc.constantFrom(...LEADS),
})

describe('the generator of the playground', () => {
  test.prop([fc.nat(9999), settings, deeds], { numRuns: 40 })(
    'makes no id twice and none out of order, whatever is done to its clock',
    (seed, limits, done) => {
      const model = new IdModel({ seed, ...limits })
      for (const deed of done) deed(model)
      const { asked, made, wrong } = model.totals
      expect(wrong).toBe(0)
      expect(made).toBeLessThanOrEqual(asked)
    },
  )

  test.prop([fc.nat(9999), settings, deeds], { numRuns: 40 })(
    'is read back from its text, moment by moment',
    (seed, limits, done) => {
      const model = new IdModel({ seed, ...limits })
      for (const deed of done) deed(model)
      const again = IdModel.fromText(model.toText())
      expect(again.toText()).toBe(model.toText())
      expect(again.moments).toEqual(model.moments)
      expect(again.lastId).toBe(model.lastId)
    },
  )

  test('holds while the clock is a little behind, and refuses when it is too far', () => {
    const model = IdModel.fromText('hold:25;at:0;tape:10p-40')
    for (let i = 0; i < 60; i++) model.step()
    const refused = model.moments.filter(({ refusal }) => refusal === 'CLOCK_BACKWARDS')
    const held = model.moments.filter(({ isHeld, made }) => isHeld && made > 0)
    // 39 ms behind at first: 14 of them too many, then 25 to be held.
    expect(refused).toHaveLength(14)
    expect(refused[0]!.waitMs).toBe(14)
    expect(held.every(({ lastTick }) => lastTick === 9)).toBe(true)
    expect(held).toHaveLength(25)
  })

  test('borrows from the next milliseconds, and refuses beyond', () => {
    const model = IdModel.fromText('lead:2;at:0;tape:5b20000')
    for (let i = 0; i < 7; i++) model.step()
    const full = model.moments[5]!
    expect(full.made).toBe(3 * 4096)
    expect(full.lastTick - full.reading).toBe(2)
    expect(full.refusal).toBe('SEQUENCE_EXHAUSTED')
    expect(model.moments[6]!.isBorrowed || model.moments[6]!.refusal !== '').toBe(true)
  })

  test('does the same day again under other limits', () => {
    const model = IdModel.fromText('')
    const before = model.moments.map(({ reading, asked }) => [reading, asked])
    model.set({ maxHoldMs: 0 })
    expect(model.moments.map(({ reading, asked }) => [reading, asked])).toEqual(before)
    expect(model.moments.some(({ refusal }) => refusal === 'CLOCK_BACKWARDS')).toBe(true)
  })

  test('stops at the end of its tape', () => {
    const model = new IdModel({ seed: 1, maxHoldMs: 50, maxLeadMs: 5 })
    for (let i = 0; i < TAPE_MS + 5; i++) model.step()
    expect(model.atMs).toBe(TAPE_MS)
    model.pull(-30)
    expect(model.tape).toEqual([])
  })
})

describe('an id taken apart', () => {
  test.each(LAYOUTS)('has the 64 bits of the layout %s, each in one field', (layout) => {
    const apart = takeApart(SAMPLES[layout], layout)
    if (typeof apart === 'string') throw new Error(apart)
    expect(apart.fields.reduce((bits, { from, to }) => bits + to - from, 0)).toBe(64)
    const joined = apart.fields.reduce((id, { from, to, value }) => {
      return (id << BigInt(to - from)) | value
    }, 0n)
    expect(joined).toBe(BigInt(SAMPLES[layout]))
  })

  test('says when the example of Discord was made', () => {
    const apart = takeApart('175928847299117063', 'discord')
    expect(apart).toMatchObject({ timestamp: Date.UTC(2016, 3, 30, 11, 18, 25, 796) })
  })

  test('turns over one bit', () => {
    expect(turnBit(0n, 63)).toBe('1')
    expect(turnBit(5n, 61)).toBe('1')
  })

  test('says what is wrong with what is none', () => {
    expect(takeApart('12x', 'ashlar')).toMatch(/12x/u)
    expect(takeApart('', 'ashlar')).toBeTypeOf('string')
    expect(takeApart('18446744073709551615', 'ashlar')).toBeTypeOf('string')
  })
})
