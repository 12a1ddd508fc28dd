import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { routesFrom } from '../src/reshard/change-drain.ts'
import { unitOf } from '../src/reshard/copy-phase.ts'
import type { ReshardBody } from '../src/reshard/reshard-body.ts'
import { decodeBody, encodeBody } from '../src/reshard/reshard-body-json.ts'
import { RESHARD_STATES } from '../src/reshard/reshard-state.ts'
import { heeded, wishAfter } from '../src/reshard/reshard-wishes.ts'
import { runsOf, slotsOfRuns } from '../src/reshard/slot-runs.ts'

const slots = fc.uniqueArray(fc.nat(300), { maxLength: 40 })
const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', '\ud800', '')
const body: fc.Arbitrary<ReshardBody> = fc
  .record({ state: fc.constantFrom(...RESHARD_STATES), slots, from: name, to: name })
  .map(({ state, slots: list, from, to }) => ({
    format: '@ashlar/shard/job',
    version: 1,
    state,
    direction: 'forward',
    isAborting: false,
    isCutOver: true,
    isFinishing: false,
    admit: [{ id: 'c', weight: 2 }],
    dismiss: [from],
    reweigh: [],
    tables: [{ name: from, kind: 'sharded', key: ['id'], primaryKey: undefined }],
    rules: {
      capture: 'trigger',
      ddl: ['CREATE TABLE t (id)'],
      rowsPerS: undefined,
      maxSourceP99Ms: 5,
      maxReplicaLagMs: undefined,
      batchSlots: 4,
      maxFreezeMs: 100,
      maxBarrierMs: 100,
      verify: 'full',
      auto: false,
      reversibleMs: undefined,
    },
    pairs: [{ from, to, slots: list, copied: list.length, verified: 0, flipped: list.length >> 1 }],
    admittedAt: 3,
    flip: { from, to, slots: list, epoch: 7 },
    wishes: 2,
    paused: { code: 'VERIFY_MISMATCH', message: to },
    committedAtMs: undefined,
    figures: {
      startedAtMs: 1,
      rows: 2,
      bytes: 3,
      rowsCopied: 4,
      bytesCopied: 5,
      copyMs: 6.5,
      changes: 7,
      lagKeys: 8,
      freezesMs: [1.5, 2],
      thaws: 0,
    },
  }))

const [plain] = fc.sample(body, { seed: 7, numRuns: 1 })

describe('the record of a job', () => {
  property.prop([body])('is read as it was written', (one) => {
    expect(decodeBody(encodeBody(one))).toEqual(one)
  })

  property.prop([slots])('keeps slots in their order', (list) => {
    expect(slotsOfRuns(runsOf(list))).toEqual(list)
  })

  test.each([
    ['it', 'nonsense'],
    ['it', '[]'],
    ['format', JSON.stringify({ format: 'other' })],
    ['version', encodeBody({ ...plain!, version: 2 as 1 })],
    ['state', encodeBody({ ...plain!, state: 'lost' as 'done' })],
    ['pairs[0].flipped', spoilt((pair) => ({ ...pair, flipped: 1_000 }))],
    ['pairs[0].slots[0]', spoilt((pair) => ({ ...pair, slots: [[1]] }))],
    ['rules.batchSlots', encodeBody({ ...plain!, rules: { ...plain!.rules, batchSlots: -1 } })],
  ])('is refused where %s is not as it must be', (place, text) => {
    expect(() => decodeBody(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_JOB',
        message: expect.stringContaining(`valid: ${place} `),
      }),
    )
  })
})

function spoilt(spoil: (pair: object) => object): string {
  const json = JSON.parse(encodeBody(plain!)) as { pairs: object[] }
  return JSON.stringify({ ...json, pairs: json.pairs.map(spoil) })
}

describe('changes on a shard', () => {
  const pair = { from: 'a', to: 'c', slots: [1, 2, 3, 4], copied: 3, verified: 0, flipped: 1 }
  const copying: ReshardBody = { ...plain!, state: 'copying', pairs: [pair] }

  test('go where the other copy is, of slots that the shard owns and that are copied', () => {
    expect(routesFrom(copying, 'a')).toEqual([{ to: 'c', slots: [2, 3] }])
    expect(routesFrom(copying, 'c')).toEqual([{ to: 'a', slots: [1] }])
    expect(routesFrom(copying, 'b')).toEqual([])
  })

  test('go nowhere any more once the job cleans up', () => {
    expect(routesFrom({ ...copying, state: 'cleaning' }, 'c')).toEqual([])
    expect(routesFrom({ ...copying, state: 'aborting' }, 'a')).toEqual([])
  })
})

test('a unit has as many slots as hold so many rows, and one at least', () => {
  const sizes = new Map([1, 2, 3, 4].map((slot) => [slot, { rows: slot * 10, bytes: 0 }]))
  expect(unitOf([1, 2, 3, 4], sizes, 30)).toEqual([1, 2])
  expect(unitOf([4, 1], sizes, 30)).toEqual([4])
  expect(unitOf([9, 8, 7], sizes, 30)).toEqual([9, 8, 7])
  expect(unitOf([], sizes, 30)).toEqual([])
})

describe('wishes', () => {
  const ready: ReshardBody = { ...plain!, state: 'ready', isCutOver: false, paused: undefined }
  const flipped = [{ from: 'a', to: 'c', slots: [1, 2], copied: 2, verified: 2, flipped: 1 }]

  test('that wait are heeded one after the other', () => {
    const waiting = wishAfter('cutover', 'pause')
    expect(waiting).toBe('cutover pause')
    expect(heeded(ready, waiting)).toMatchObject({ isCutOver: true, paused: { code: undefined } })
    expect(wishAfter('cutover pause', 'cutover')).toBe('pause cutover')
  })

  test('that cannot be are left out', () => {
    expect(heeded(ready, 'reverse')).toEqual({})
    expect(heeded(ready, 'nonsense')).toEqual({})
    expect(heeded({ ...ready, state: 'done' }, 'abort')).toEqual({})
  })

  test('to abort go back first where slots were flipped', () => {
    const body: ReshardBody = { ...ready, state: 'freezing', pairs: flipped }
    expect(heeded(body, 'abort')).toMatchObject({ state: 'freezing', direction: 'back' })
    expect(heeded({ ...ready, pairs: [] }, 'abort')).toMatchObject({ state: 'aborting' })
    expect(heeded({ ...body, isAborting: true }, 'cutover')).toEqual({})
  })
})
