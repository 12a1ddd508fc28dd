import { describe, expect, test } from 'vitest'
import { type Fault, simulate } from '../src/index.ts'

interface Reading {
  readonly at: number
  readonly wall: number
  readonly up: number
}

async function readings(faults: readonly Fault[], seed = 1): Promise<Reading[]> {
  const seen: Reading[] = []
  await simulate({ seed, faults, horizonMs: 1000, epochMs: 1_000_000 }, (s) => {
    s.node('a', async (env) => {
      for (;;) {
        seen.push({ at: s.elapsedMs(), wall: env.now(), up: env.monotonic() })
        await env.sleep(1)
      }
    })
  })
  return seen
}

describe('clocks', () => {
  test('agree with virtual time when nothing strikes them', async () => {
    for (const { at, wall, up } of await readings([])) {
      expect([wall, up]).toEqual([1_000_000 + Math.floor(at), at])
    }
  })

  test('clockJump and stepBack move the wall clock only, for good', async () => {
    const seen = await readings([
      { kind: 'clockJump', node: 'a', atMs: 100.5, byMs: 5000 },
      { kind: 'clockJump', node: 'a', atMs: 300.5, byMs: -7000 },
      { kind: 'stepBack', node: 'a', atMs: 500.5, byMs: 30 },
    ])
    const wallAt = (ms: number) => seen[ms]!.wall - 1_000_000 - ms
    expect([50, 200, 400, 600].map(wallAt)).toEqual([0, 5000, -2000, -2030])
    expect(seen.every(({ at, up }) => at === up)).toBe(true)
  })

  test('drift makes both run fast or slow while it lasts, and timers with them', async () => {
    for (const ppm of [100_000, -100_000]) {
      const seen = await readings([{ kind: 'drift', node: 'a', atMs: 200, forMs: 500, ppm }])
      const last = seen.at(-1)!
      const gained = (500 * ppm) / 1e6
      expect(last.up - last.at).toBeCloseTo(gained, 1)
      expect(last.wall - 1_000_000 - last.at).toBeCloseTo(gained, -0.5)
      const steps = seen.filter(({ at }) => at > 200 && at < 700).length
      expect(Math.abs(steps - (500 + gained))).toBeLessThan(3)
    }
  })

  test('the monotonic clock never goes back, and no timer fires before its time', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const early: number[] = []
      let back = 0
      await simulate(
        { seed, profile: 'hostile', kinds: ['drift', 'clockJump', 'stepBack'], horizonMs: 300 },
        (s) => {
          s.node('a', async (env) => {
            let last = env.monotonic()
            for (;;) {
              const delay = env.random() * 20
              await env.sleep(delay)
              const now = env.monotonic()
              if (now < last) back++
              if (now - last < delay - 0.001) early.push(now - last - delay)
              last = now
            }
          })
        },
      )
      expect([seed, back, early]).toEqual([seed, 0, []])
    }
  })
})
