// How a drain is chosen, and how it asks for its turns: by hosts made for it, with macrotasks that
// are counted.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hostProcess } from '../src/host.ts'
import { hashOfSeeds } from './reference-world.ts'

const { setImmediate } = globalThis
// The host as it is: the tests below put others in its place.
const tick = hostProcess!._tickCallback!

beforeEach(() => {
  vi.resetModules()
})

afterEach(() => {
  vi.doUnmock('../src/host.ts')
  vi.unstubAllGlobals()
  vi.resetModules()
})

/** What 'auto' stands for where Node's `_tickCallback` is this. */
async function autoWith(tickCallback: unknown): Promise<string> {
  vi.doMock('../src/host.ts', () => ({ hostProcess: { _tickCallback: tickCallback } }))
  const { resolveDrain } = await import('../src/drain.ts')
  return resolveDrain('auto')
}

describe("drain 'auto'", () => {
  test("stands for 'tick' where Node's own callback drains microtasks", async () => {
    expect(await autoWith(tick)).toBe('tick')
  })

  test.each([
    ['is not there', undefined],
    ['is no function', 'tick'],
    ['does nothing', () => {}],
    [
      'throws, though it drains',
      () => {
        tick()
        throw new Error('not here')
      },
    ],
  ])("stands for 'immediate' where it %s", async (_, callback) => {
    expect(await autoWith(callback)).toBe('immediate')
  })
})

/** Runs the reference world while what waits for its turn is counted. */
async function countTurns(drain: 'immediate' | 'tick', host: (callback: () => void) => unknown) {
  const turns = { asked: 0, waiting: 0, most: 0 }
  const ask = (callback: () => void) => {
    turns.asked++
    turns.waiting++
    turns.most = Math.max(turns.most, turns.waiting)
    host(() => {
      turns.waiting--
      callback()
    })
  }
  vi.stubGlobal('setImmediate', ask)
  const world = await import('./reference-world.ts')
  const hash = await world.hashOfSeeds(1, drain)
  expect(hash).toBe(await hashOfSeeds(1, drain))
  return turns
}

describe('turns of the host', () => {
  test("are asked for 64 at once by 'immediate'", async () => {
    const turns = await countTurns('immediate', setImmediate)
    expect(turns.most).toBe(64)
    expect(turns.asked).toBeGreaterThan(200)
  })

  test('are asked for one by one where microtasks wait for several of them', async () => {
    // A host that calls back whatever has gathered in one go.
    let gathered: (() => void)[] = []
    const inOneGo = (callback: () => void) => {
      gathered.push(callback)
      if (gathered.length > 1) return
      setImmediate(() => {
        const now = gathered
        gathered = []
        for (const each of now) each()
      })
    }
    // Two to try it out, which is the most that ever wait.
    expect((await countTurns('immediate', inOneGo)).most).toBe(2)
  })

  test('are asked for one by one where they are messages of a channel', async () => {
    let most = 0
    let waiting = 0
    class Channel {
      port1: { onmessage?: () => void } = {}
      port2 = {
        postMessage: () => {
          most = Math.max(most, ++waiting)
          setImmediate(() => {
            waiting--
            this.port1.onmessage?.()
          })
        },
      }
    }
    vi.stubGlobal('setImmediate', undefined)
    vi.stubGlobal('MessageChannel', Channel)
    const bare = await import('./reference-world.ts')
    expect(await bare.hashOfSeeds(1, 'immediate')).toBe(await hashOfSeeds(1, 'tick'))
    expect(most).toBe(1)
  })

  test("are few with 'tick', which drains by itself", async () => {
    const turns = await countTurns('tick', setImmediate)
    expect(turns.most).toBe(1)
    expect(turns.asked).toBeLessThan(10)
  })
})
