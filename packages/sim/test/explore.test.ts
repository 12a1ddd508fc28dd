// What holds over many seeds: each takes a while, and is no part that fails first.

import { describe, expect, test } from 'vitest'
import { type Env, explore, FAULT_KINDS, type Scenario, simulate } from '../src/index.ts'
import { hashOf } from './reference-world.ts'

describe('a seed', () => {
  test('stands for another run than its neighbours', async () => {
    const hashes = new Set<string>()
    for (let seed = 0; seed < 200; seed++) hashes.add(await hashOf(seed, 'auto'))
    expect(hashes.size).toBe(200)
    const large = [2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]
    for (const seed of large) hashes.add(await hashOf(seed, 'auto'))
    expect(hashes.size).toBe(203)
  })

  test('stands for the same run of callbacks only without a drain', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const hashes = []
      for (const drain of ['none', 'tick', 'immediate'] as const) {
        hashes.push((await simulate({ seed, drain, horizonMs: 200 }, callbacksOnly)).hash)
      }
      expect(new Set(hashes).size).toBe(1)
    }
  })
})

describe('a run of many kinds', () => {
  test('sees every kind bite, some time, and heals from all', async () => {
    const { injected, failures } = await explore({ runs: 150, horizonMs: 1000 }, (s) => {
      for (const id of ['a', 'b', 'c']) {
        s.node(id, async (env) => {
          for (;;) {
            for (const to of ['a', 'b', 'c']) env.send(to, env.now())
            await env.disk.append('f', 'x').catch(() => {})
            await env.disk.read('f').catch(() => {})
            await env.sleep(10)
          }
        })
      }
      s.afterHeal((env) => beats(env), { withinMs: 100 })
    })
    expect(failures).toEqual([])
    for (const kind of FAULT_KINDS) expect([kind, injected[kind] > 0]).toEqual([kind, true])
  })
})

/** Whether a message gets through to every node and back. */
async function beats(env: Env): Promise<void> {
  await env.sleep(10)
  for (const to of ['a', 'b', 'c']) env.send(to, 1)
}

function callbacksOnly(s: Scenario): void {
  for (const id of ['a', 'b', 'c']) {
    s.node(id, (env) => {
      env.onMessage((message, from) => {
        if (typeof message === 'number' && message > 0) env.send(from, message - 1)
      })
      const beat = () => {
        env.send(id === 'a' ? 'b' : 'a', 3)
        env.timers.setTimeout(beat, 10 * env.random())
      }
      beat()
    })
  }
}
