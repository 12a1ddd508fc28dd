import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { WriteBehind, type WriteBehindOptions } from '../src/tiered/write-behind.ts'
import { fateOf, ManualTime, settle } from './loading-rig.ts'
import { gate, TieredRig } from './tiered-rig.ts'

/** A queue before an origin that fails as often as it is told to. */
function queue(options: WriteBehindOptions = {}) {
  const time = new ManualTime()
  const written: [string, number][] = []
  const errors: string[] = []
  const state = { failures: 0, held: Promise.resolve() as Promise<unknown>, atOnce: 0, most: 0 }
  const write = async (key: string, value: number) => {
    state.most = Math.max(state.most, ++state.atOnce)
    await state.held
    state.atOnce--
    if (state.failures-- > 0) throw new Error('origin is down')
    written.push([key, value])
  }
  const { timers } = time
  const onError = ({ code }: { code: string }) => errors.push(code)
  const behind = new WriteBehind<number>(write, options, { timers, random: () => 0.5, onError })
  return { behind, time, written, errors, state }
}

describe('WriteBehind', () => {
  test('writes the last value of a key, after the one that is on its way', async () => {
    const { behind, written, state } = queue()
    const held = gate()
    state.held = held.closed
    for (const value of [1, 2, 3]) behind.add('k', value)
    expect([behind.get('k')?.value, behind.size]).toEqual([3, 1])
    const flushed = behind.flush()
    expect(await fateOf(flushed)).toBe('waiting')
    held.open()
    await flushed
    expect(written).toEqual([
      ['k', 1],
      ['k', 3],
    ])
    expect([behind.get('k'), behind.size]).toEqual([undefined, 0])
  })

  test('tries again with longer and longer pauses, and a newer value takes its place', async () => {
    const { behind, time, written, state } = queue()
    state.failures = 3
    behind.add('k', 1)
    const flushed = behind.flush()
    await settle()
    behind.add('k', 2)
    for (const pauseMs of [75, 150]) {
      time.pass(pauseMs)
      await settle()
    }
    expect(written).toEqual([])
    time.pass(299)
    await settle()
    expect(written).toEqual([])
    time.pass(1)
    await flushed
    expect(written).toEqual([['k', 2]])
  })

  test('is full at its bound, and takes more of the keys that it has', async () => {
    const { behind, state } = queue({ maxPending: 2 })
    const held = gate()
    state.held = held.closed
    behind.add('a', 1)
    behind.add('b', 1)
    behind.add('a', 2)
    expect(() => behind.add('c', 1)).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_QUEUE_FULL' }),
    )
    held.open()
    await behind.flush()
    behind.add('c', 1)
    await behind.flush()
  })

  test('writes no more keys at a time than it may', async () => {
    const { behind, state, written } = queue({ concurrency: 3 })
    for (let i = 0; i < 20; i++) behind.add(`k${i}`, i)
    await behind.flush()
    expect([state.most, written.length]).toEqual([3, 20])
  })

  test('says at the next flush that a write was refused for good', async () => {
    const { behind, state, errors } = queue({ isRetryable: () => false })
    state.failures = 1
    behind.add('k', 1)
    await expect(behind.flush()).rejects.toMatchObject({ code: 'ERR_CACHE_WRITE_LOST' })
    expect(errors).toEqual(['ERR_CACHE_WRITE_LOST'])
    await behind.flush()
  })

  test('flushes when it closes, then takes nothing; a signal ends that', async () => {
    const { behind, state, written, time } = queue()
    behind.add('k', 1)
    await behind.close()
    await behind.close()
    expect(written).toEqual([['k', 1]])
    expect(() => behind.add('k', 2)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_CLOSED' }))
    const stuck = queue()
    stuck.state.failures = 1e9
    stuck.behind.add('k', 1)
    const reason = new Error('enough')
    await expect(stuck.behind.close({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect([time.pending, stuck.time.pending, state.atOnce]).toEqual([0, 0, 0])
  })

  property.prop(
    [
      fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__'), fc.nat({ max: 3 })), {
        maxLength: 30,
      }),
    ],
    { seed: 11, numRuns: 200 },
  )('what a flush acknowledges is written, each key in the order of its sets', async (steps) => {
    const { behind, time, written, state } = queue({ concurrency: 2 })
    const last = new Map<string, number>()
    for (const [i, [key, pause]] of steps.entries()) {
      state.failures = pause
      behind.add(key, i)
      last.set(key, i)
      for (let n = 0; n < pause; n++) await Promise.resolve()
    }
    const expected = new Map(last)
    let isFlushed = false
    const flushed = behind.flush().then(() => {
      isFlushed = true
    })
    for (let n = 0; n < 20 && !isFlushed; n++) {
      await settle()
      time.pass(30_000)
    }
    await flushed
    for (const [key, value] of expected) {
      const own = written.filter(([name]) => name === key).map(([, n]) => n)
      expect(own.at(-1)).toBe(value)
      expect(own).toEqual(own.toSorted((x, y) => x - y))
    }
  })
})

describe('a TieredCache that writes behind', () => {
  test('shows its own writes here at once, and to others when they are durable', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const held = gate()
    const write = async (key: string, value: string) => {
      await held.closed
      rig.origin.set(key, value)
    }
    const [a, b] = [rig.open({ write, writeBehind: {} }), rig.open()]
    await b.get('k')
    await a.set('k', 'new')
    expect([await a.get('k'), await b.get('k'), a.pendingWrites]).toEqual(['new', 'old', 1])
    // Near caches forget; what is on its way is still known.
    await b.delete('k')
    await settle()
    expect(await a.get('k')).toBe('new')
    const flushed = a.flush()
    expect(await fateOf(flushed)).toBe('waiting')
    held.open()
    await flushed
    await settle()
    expect([rig.origin.get('k'), await b.get('k'), a.pendingWrites]).toEqual(['new', 'new', 0])
    await a.close()
  })

  test('has written when the store was down, which is told later', async () => {
    const rig = new TieredRig()
    const write = async (key: string, value: string) => void rig.origin.set(key, value)
    const a = rig.open({ write, writeBehind: {} })
    await a.get('k')
    rig.store.isDown = true
    await a.set('k', 'v')
    await a.flush()
    rig.store.isDown = false
    rig.time.pass(1_000)
    await settle()
    await settle()
    expect([rig.origin.get('k'), await rig.open().get('k')]).toEqual(['v', 'v'])
  })
})
