// How transactions of the memory engine wait for each other, and that none waits for ever.

import type { ShardError } from '@ashlar/shard'
import type { MemoryEngine } from '@ashlar/shard/memory'
import { describe, expect, test } from 'vitest'
import { begin, engineOf, NOTHING, refusal, rowsOf } from './memory-fleet.ts'

describe('locks', () => {
  test('refuse at once the one of two writers that would wait in a circle', async () => {
    const engine = await engineOf({ lockWaitMs: 1e6 })
    const [a, b] = [await begin(engine), await begin(engine)]
    await a.tx(1).put('person', { id: 'a', by: 'a' })
    await b.tx(1).put('person', { id: 'b', by: 'b' })
    const waiting = a.tx(1).put('person', { id: 'b', by: 'a' })
    await expect(b.tx(1).get('person', { id: 'a' })).rejects.toEqual(refusal('ROLLED_BACK'))
    await waiting
    await a.commit()
    await expect(b.commit()).rejects.toEqual(refusal('ROLLED_BACK'))
    expect((await rowsOf(engine)).map((row) => row.by)).toEqual(['a', 'a'])
    expect(engine.database('s1').held).toEqual(NOTHING)
  })

  test('end a circle over two shards after lockWaitMs', async () => {
    const timers: (() => void)[] = []
    const engine = await engineOf({
      timers: { setTimeout: (call) => timers.push(call), clearTimeout: () => undefined },
    })
    const on = (shard: string) => begin(engine, shard)
    const [a1, a2, b1, b2] = [await on('s1'), await on('s2'), await on('s1'), await on('s2')]
    await a1.tx(1).put('person', { id: 'x' })
    await b2.tx(1).put('person', { id: 'x' })
    const late = b1.tx(1).put('person', { id: 'x' })
    const waiting = a2.tx(1).put('person', { id: 'x' })
    await expect.poll(() => timers.length).toBe(2)
    timers[0]!()
    await expect(late).rejects.toEqual(refusal('ROLLED_BACK'))
    await b2.rollback()
    await waiting
    await Promise.all([a1.commit(), a2.commit()])
    expect(await rowsOf(engine, 's2')).toHaveLength(1)
  })

  test('let nobody add a row to what a writer has selected', async () => {
    const engine = await engineOf()
    const [reader, writer] = [await begin(engine), await begin(engine)]
    const select = () => reader.tx(1).select({ table: 'person' })
    expect(await select()).toEqual([])
    const added = writer.tx(1).put('person', { id: 'a' })
    expect(await select()).toEqual([])
    await reader.commit()
    await added
    await writer.commit()
    expect(await rowsOf(engine)).toEqual([{ id: 'a' }])
  })

  test('let nobody take a row out of what a writer has selected', async () => {
    const engine = await engineOf()
    const first = await begin(engine)
    await first.tx(1).put('person', { id: 'a' })
    await first.commit()
    const [reader, mover] = [await begin(engine), await begin(engine, 's1', [1, 2])]
    const select = () => reader.tx(1).select({ table: 'person' })
    await select()
    const moved = mover.tx(2).put('person', { id: 'a' })
    await engine.check('s1')
    expect(await Promise.race([moved.then(() => 'moved'), select()])).toEqual([{ id: 'a' }])
    await reader.commit()
    await moved
    await mover.commit()
  })

  test('serve a change of fences before writers that came after it', async () => {
    const engine = await engineOf()
    const writer = await begin(engine)
    const ended: string[] = []
    const freeze = [{ slot: 1, state: 'frozen', epoch: 1 }] as const
    const flip = engine.setFences('s1', freeze).then(() => ended.push('fences'))
    await engine.check('s1')
    const late = begin(engine).catch((error: ShardError) => ended.push(error.code))
    await engine.check('s1')
    await writer.commit()
    await Promise.all([flip, late])
    expect(ended.sort()).toEqual(['SHARD_FROZEN', 'fences'])
  })

  test('lose no update of writers that read first', async () => {
    const engine = await engineOf()
    const increment = async () => {
      const open = await begin(engine)
      const row = await open.tx(1).get('person', { id: 'a' })
      await open.tx(1).put('person', { id: 'a', n: Number(row?.n ?? 0) + 1 })
      await open.commit()
    }
    await Promise.all(Array.from({ length: 20 }, increment))
    expect(await rowsOf(engine)).toEqual([{ id: 'a', n: 20 }])
  })
})

test('a writer that is undone just as it is served takes no more locks', async () => {
  const engine: MemoryEngine = await engineOf({
    delay: async (label) => {
      if (label === 'commit:after') engine.crash('s1')
    },
  })
  const [first, second] = [await begin(engine), await begin(engine)]
  await first.tx(1).put('person', { id: 'a' })
  const waiting = second.tx(1).put('person', { id: 'a' })
  await engine.check('s1')
  await first.commit()
  await expect(waiting).rejects.toEqual(refusal('UNREACHABLE'))
  expect(engine.database('s1').held).toEqual(NOTHING)
})
