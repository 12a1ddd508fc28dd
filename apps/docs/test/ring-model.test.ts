import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { RingModel, STONES } from '../playgrounds/ring-model.ts'

type Change = (model: RingModel) => void

const stones = fc.constantFrom(...STONES)
const changes = fc.array(
  fc.oneof<fc.Arbitrary<Change>[]>(
    stones.map((id) => (model: RingModel) => model.add(id)),
    stones.map((id) => (model: RingModel) => model.remove(id)),
    fc.tuple(stones, fc.integer({ min: -1, max: 6 })).map(
      ([id, weight]) =>
        (model: RingModel) =>
          model.weigh(id, weight),
    ),
    fc.constant<Change>((model) => model.step()),
  ),
  { maxLength: 6 },
)

/** A model after those changes. */
function changed(seed: number, how: readonly Change[]): RingModel {
  const model = RingModel.fromText(`seed:${seed}`)
  for (const change of how) change(model)
  return model
}

describe('the playground of the ring', () => {
  test.prop([fc.nat(999), changes], { numRuns: 40 })('moves no key between others', (seed, how) => {
    const { view } = changed(seed, how)
    expect(view.ring.collateral).toBe(0)
    expect(view.exact.collateral).toBe(0)
    expect(view.exact.moved).toBeCloseTo(view.exact.least, 9)
  })

  test.prop([fc.nat(999), changes], { numRuns: 40 })('is read back from its text', (seed, how) => {
    const model = changed(seed, how)
    const again = RingModel.fromText(model.toText())
    expect(again.toText()).toBe(model.toText())
    expect(again.view).toEqual(model.view)
    expect(again.news).toBe(model.news)
  })

  test('counts every key once, and arcs go all the way round', () => {
    const { loads, keys, arcs } = RingModel.fromText('').view
    expect(loads.reduce((sum, load) => sum + load.keys, 0)).toBe(keys.length)
    expect(loads.reduce((sum, load) => sum + load.moduloKeys, 0)).toBe(keys.length)
    expect(arcs.reduce((sum, { from, to }) => sum + to - from, 0)).toBeCloseTo(1, 9)
  })

  test('shows modulo moving most keys where the ring moves a share', () => {
    const { ring, modulo, keys } = RingModel.fromText(
      'nodes:granite,basalt,marble;was:granite,basalt,marble',
    ).view
    expect([ring.moved, modulo.moved]).toEqual([0, 0])
    const grown = RingModel.fromText('').view
    expect(grown.ring.moved).toBeLessThan(keys.length / 3)
    expect(grown.modulo.moved).toBeGreaterThan(keys.length / 2)
    expect(grown.modulo.collateral).toBeGreaterThan(0)
  })

  test('keeps the last node, and tells each step of its story', () => {
    const model = RingModel.fromText('nodes:jade')
    model.remove('jade')
    expect(model.nodes).toHaveLength(1)
    for (let i = 0; i < 30; i++) {
      model.step()
      expect(model.news).not.toBe('')
    }
  })

  test('tells the same story again', () => {
    const tell = () => {
      const model = RingModel.fromText('seed:3')
      return Array.from({ length: 12 }, () => {
        model.step()
        return model.toText()
      })
    }
    expect(tell()).toEqual(tell())
  })

  test.each(['nodes:granite,granite', 'nodes:quartz', 'nodes:jade*9', 'seed:-1;points:7'])(
    'begins as usual where the text says %s',
    (text) => {
      expect(RingModel.fromText(text).toText()).toBe(RingModel.fromText('').toText())
    },
  )
})
