import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { pinKey } from '../src/pin-key.ts'
import { Saga, type SagaStep } from '../src/saga.ts'
import { sagaInput } from '../src/saga-input.ts'
import { recoverSagas } from '../src/saga-recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by } from '../src/table-rule.ts'
import { Fleet, keyOn, type Process } from './transaction-fleet.ts'

const map = ShardMap.create({
  slots: 8,
  shards: ['a', 'b'],
  tables: { seats: by('id', { primaryKey: ['id'] }) },
})
const [A, B] = [keyOn(map, 'a'), keyOn(map, 'b')]

/** A step that takes a seat and gives it back. */
function seat(id: string, fails?: () => Promise<void>): SagaStep<{ guest: string }> {
  return {
    name: `seat ${id}`,
    table: 'seats',
    key: () => id,
    run: async (tx, { guest }) => {
      await tx.put('seats', { id, guest })
      await fails?.()
    },
    undo: (tx) => tx.delete('seats', { id }),
  }
}

async function begin(): Promise<{ fleet: Fleet; process: Process }> {
  const fleet = await Fleet.of(map)
  return { fleet, process: await fleet.process() }
}

describe('a saga', () => {
  test('runs its steps in order and leaves no record and no name behind', async () => {
    const { fleet, process } = await begin()
    const saga = new Saga(process.context, 'trip', [seat(A), seat(B)])
    await saga.run({ guest: 'ada' })
    expect(await fleet.rows('seats')).toHaveLength(2)
    fleet.clock.ms += 1e9
    expect(await fleet.store.sagas.abandoned()).toEqual([])
    const open = await process.engine.open('a', { slots: [map.slotOf(A)], epoch: 1 })
    expect(await open.tx(map.slotOf(A)).mark('saga:t1:0')).toBe(true)
    await open.rollback()
  })

  test('whose step fails is undone, and says which step and why', async () => {
    const { fleet, process } = await begin()
    const full = async () => Promise.reject(new Error('full'))
    const run = new Saga(process.context, 'trip', [seat(A), seat(B, full)]).run({ guest: 'ada' })
    await expect(run).rejects.toMatchObject({ code: 'ROLLED_BACK' })
    await expect(run).rejects.toThrow(`seat ${B} failed: full`)
    expect(await fleet.rows('seats')).toEqual([])
  })

  test('begins no step once its signal has aborted, and undoes what it has done', async () => {
    const { fleet, process } = await begin()
    const controller = new AbortController()
    const stop = async () => controller.abort(new Error('enough'))
    const late = { ...seat(A), key: () => `${A}` }
    const steps = [{ ...seat(B), run: async () => stop() }, late]
    const run = new Saga(process.context, 'trip', steps).run({ guest: 'ada' }, controller)
    await expect(run).rejects.toMatchObject({ code: 'ROLLED_BACK' })
    expect(await fleet.rows('seats')).toEqual([])
  })

  test('that cannot be undone for now is left to recovery, which undoes it', async () => {
    const { fleet, process } = await begin()
    const fail = async () => {
      process.engine.down('a')
      throw new Error('full')
    }
    const steps = [seat(A), seat(B, fail), seat(A)]
    const saga = new Saga(process.context, 'trip', steps, { maxUndoTries: 3 })
    await expect(saga.run({ guest: 'ada' })).rejects.toMatchObject({ code: 'IN_DOUBT' })
    expect(await fleet.rows('seats')).toHaveLength(1)
    process.engine.up('a')
    fleet.clock.ms += 60_000
    const { store } = process.context
    expect((await recoverSagas(store, new Map())).waiting).toHaveLength(1)
    const settled = await recoverSagas(store, new Map([['trip', saga]]))
    expect(settled).toMatchObject({ undone: ['t1'], waiting: [] })
    expect(await fleet.rows('seats')).toEqual([])
  })

  test('is undone also where a key of it was pinned to another shard meanwhile', async () => {
    const { fleet, process } = await begin()
    const moves = async () => {
      await pinKey(process.context, A, 'b', { table: 'seats' })
      throw new Error('full')
    }
    const steps = [seat(A), seat(B, moves), seat(B)]
    const run = new Saga(process.context, 'trip', steps).run({ guest: 'ada' })
    await expect(run).rejects.toMatchObject({ code: 'ROLLED_BACK' })
    expect(process.context.map().route(A).shard).toBe('b')
    expect(await fleet.rows('seats')).toEqual([])
  })

  test('refuses what it cannot be made of', async () => {
    const { process } = await begin()
    const { context } = process
    const code = expect.objectContaining({ code: 'INVALID_OPTION' })
    expect(() => new Saga(context, '', [seat(A)])).toThrow(code)
    expect(() => new Saga(context, 'trip', [])).toThrow(code)
    expect(() => new Saga(context, 'trip', [seat(A)], { leaseMs: 0 })).toThrow(code)
    expect(() => new Saga(context, 'trip', [seat(A)], { maxUndoTries: 0.5 })).toThrow(code)
  })
})

describe('the input of a saga', () => {
  property.prop([fc.jsonValue({ noUnicodeString: false })])('comes back the same', (value) => {
    expect(JSON.parse(sagaInput(value))).toEqual(JSON.parse(JSON.stringify(value)))
  })

  const circle: unknown[] = []
  circle.push(circle)
  test.each([
    ['input', undefined],
    ['input.when', { when: new Date(0) }],
    ['input[1].count', [1, { count: Number.NaN }]],
    ['input[0]', circle],
    ['input.n', { n: 1n }],
    ['input.gone', { gone: undefined }],
  ])('is refused, naming %s, where it is not JSON', (place, value) => {
    expect(() => sagaInput(value)).toThrow(`${place} of the saga is`)
  })
})
