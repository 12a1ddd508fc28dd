import { afterEach, describe, expect, test } from 'vitest'
import { ROWS } from '../playgrounds/reshard-crowd.ts'
import { ReshardModel, TAPE_STEPS } from '../playgrounds/reshard-model.ts'
import { SHARDS, SLOTS } from '../playgrounds/reshard-world.ts'

const open: ReshardModel[] = []
afterEach(() => {
  for (const model of open.splice(0)) model.close()
})

async function stage(text: string): Promise<ReshardModel> {
  const model = ReshardModel.fromText(text)
  open.push(model)
  return await model.ready()
}

async function run(model: ReshardModel, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) await model.step()
}

const slotsOf = (model: ReshardModel): number[] =>
  SHARDS.map((_, at) => model.view!.slots.filter(({ owner }) => owner === at).length)

describe('the playground of resharding', () => {
  test('loses no acknowledged write while slots move, over two crashes', async () => {
    const model = await stage('at:0')
    expect(slotsOf(model).at(-1)).toBe(0)
    const before = model.view!.slots.map(({ owner }) => owner)
    while (!model.isOver && model.view!.progress?.state !== 'done') {
      await model.step()
      expect(model.view!.lost).toBe(0)
      expect(model.crowd!.stale).toBe(0)
    }
    expect(model.view!.progress).toMatchObject({ state: 'done' })
    const after = model.view!.slots.map(({ owner }) => owner)
    const moved = after.filter((owner, slot) => owner !== before[slot])
    expect(new Set(moved)).toEqual(new Set([3]))
    expect(moved).toHaveLength(slotsOf(model)[3]!)
    expect(Math.abs(moved.length - SLOTS / 4)).toBeLessThan(SLOTS / 16)
    expect(model.view!.rows.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS)
    expect(model.crowd!.errors).toBe(0)
    expect(model.crowd!.writes).toBeGreaterThan(500)
    // The day had what it is about: writers that waited for a worker that was dead.
    expect(Math.max(...model.columns.map(({ slowestMs }) => slowestMs))).toBeGreaterThan(100)
    expect(model.columns.some(({ hasWorker, isFreezing }) => isFreezing && !hasWorker)).toBe(true)
  })

  test('is read back from its text, step by step', async () => {
    const model = await stage('seed:11;at:40')
    model.act('crash')
    await run(model, 12)
    model.act('hire')
    model.act('load', 60)
    await run(model, 30)
    const again = await stage(model.toText())
    expect(again.toText()).toBe(model.toText())
    expect(again.view).toEqual(model.view)
    expect(again.columns).toEqual(model.columns)
    expect(again.crowd).toEqual(model.crowd)
  })

  test('goes back to three shards when it is reversed and given up', async () => {
    const model = await stage('at:0;tape:2s')
    const before = model.view!.slots.map(({ owner }) => owner)
    for (let i = 0; i < 300 && model.view!.progress?.state !== 'reversible'; i++) await model.step()
    model.act('abort')
    for (let i = 0; i < 300 && model.view!.progress?.state !== 'aborted'; i++) await model.step()
    expect(model.view!.progress?.state).toBe('aborted')
    expect(model.view!.slots.map(({ owner }) => owner)).toEqual(before)
    expect(model.view!.lost).toBe(0)
  })

  test('serves without a job', async () => {
    const model = await stage('at:20;tape:')
    expect(model.view).toMatchObject({ progress: undefined, worker: undefined, lost: 0, epoch: 1 })
    expect(model.crowd!.writes).toBeGreaterThan(20)
    expect(model.isOver).toBe(false)
    expect(TAPE_STEPS).toBeGreaterThan(400)
  })
})
