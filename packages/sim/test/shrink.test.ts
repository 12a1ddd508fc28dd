import { describe, expect, test } from 'vitest'
import { explore, type Fault, SimulationFailure, shrink, simulate } from '../src/index.ts'
import { registerWorld } from './toy-register.ts'

// Kinds that the correct register must survive, though some of them make a crash hurt more often.
const KINDS = ['crash', 'restart', 'pause', 'slow', 'loss', 'clog', 'clockJump', 'drift'] as const
const options = { horizonMs: 1000, kinds: KINDS }

async function failureOf(seed: number, faults: readonly Fault[], horizonMs = 1000) {
  const error = await simulate({ seed, faults, horizonMs }, registerWorld(true)).catch((e) => e)
  if (error instanceof SimulationFailure) return error
  return expect.unreachable('it did not fail')
}

describe('shrinking', () => {
  test('a register that acknowledges before it syncs: exactly one crash is left', async () => {
    const kinds = ['crash', 'duplication', 'clockJump', 'stepBack', 'oneWayPartition'] as const
    const { failures, runs } = await explore(
      { horizonMs: 1000, kinds, runs: 2000, maxFailures: 10 },
      registerWorld(true),
    )
    expect(failures).toHaveLength(10)
    expect(runs).toBeLessThan(2000)
    for (const { failure, shrunk, shrinkRuns } of failures) {
      expect(shrunk.faults.map(({ kind }) => kind)).toEqual(['crash'])
      expect(shrunk.seed).toBe(failure.seed)
      expect(shrunk.horizonMs).toBeLessThanOrEqual(failure.horizonMs)
      expect(shrunk.isLike(failure)).toBe(true)
      expect(shrinkRuns).toBeLessThan(200)
    }
    expect(failures.some(({ failure }) => failure.faults.length > 5)).toBe(true)
  })

  test('leaves no fault that the failure does not need', async () => {
    const { failures } = await explore(
      { ...options, runs: 2000, maxFailures: 10 },
      registerWorld(true),
    )
    for (const { shrunk } of failures) {
      const { seed, faults, horizonMs } = shrunk
      expect(faults.length).toBeLessThanOrEqual(3)
      expect(faults.some(({ kind }) => kind === 'crash')).toBe(true)
      for (let i = 0; i < faults.length; i++) {
        await simulate({ seed, horizonMs, faults: faults.toSpliced(i, 1) }, registerWorld(true))
      }
    }
  })

  test('the register that syncs first never fails', async () => {
    const { failures, runs, events, simulatedMs } = await explore(
      { ...options, runs: 300 },
      registerWorld(false),
    )
    expect({ failures, runs }).toEqual({ failures: [], runs: 300 })
    expect(events).toBeGreaterThan(300 * 90)
    expect(simulatedMs).toBeGreaterThanOrEqual(300 * 1000)
  })

  test('what is left replays: the line says all that is needed', async () => {
    const { failures } = await explore({ ...options, runs: 2000 }, registerWorld(true))
    const { shrunk } = failures[0]!
    const replay = new Function('simulate', 'world', `return ${shrunk.replay}`)
    const again = await replay(simulate, registerWorld(true)).catch((error: unknown) => error)
    expect(again).toMatchObject({ hash: shrunk.hash, message: shrunk.message, code: shrunk.code })
    const start = performance.now()
    await replay(simulate, registerWorld(true)).catch(() => {})
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('takes no failure for another one', async () => {
    // Two ways to fail: with any crash in one, with a pause in the other.
    const faults: Fault[] = [
      { kind: 'pause', node: 'a', atMs: 10, forMs: 40 },
      { kind: 'restart', node: 'a', atMs: 60, downMs: 40 },
    ]
    const world = (s: import('../src/index.ts').Scenario) => {
      let last = 0
      let starts = 0
      let isLate = false
      s.node('a', async (env) => {
        starts++
        for (;;) {
          await env.sleep(1)
          if (s.elapsedMs() - last > 30) isLate = true
          last = s.elapsedMs()
        }
      })
      s.invariant('one start', () => starts < 2)
      s.invariant('in time', () => !isLate || s.elapsedMs() < 99)
    }
    const found = await simulate({ seed: 1, faults, horizonMs: 200 }, world).catch((e) => e)
    expect(found).toMatchObject({ subject: 'in time' })
    const { failure } = await shrink(found, world)
    expect(failure.faults.map(({ kind }) => kind)).toEqual(['pause'])
    expect(failure.subject).toBe('in time')
  })

  test('stops when its runs are used up, and keeps the best so far', async () => {
    const crash = { kind: 'crash', node: 'store', downMs: 5, unsyncedLoss: 1 } as const
    const idle = Array.from(
      { length: 12 },
      (_, i) => ({ kind: 'clockJump', node: 'store', atMs: i, byMs: 1 }) as const,
    )
    const crashes = Array.from({ length: 12 }, (_, i) => ({ ...crash, atMs: 21.5 + 60 * i }))
    let failure: SimulationFailure | undefined
    for (let seed = 0; failure === undefined && seed < 100; seed++) {
      failure = await simulate(
        { seed, faults: [...idle, ...crashes], horizonMs: 1000 },
        registerWorld(true),
      ).then(
        () => undefined,
        (error: SimulationFailure) => error,
      )
    }
    const some = await shrink(failure!, registerWorld(true), { maxRuns: 3 })
    expect(some.runs).toBe(3)
    expect(some.failure.faults.length).toBeLessThan(24)
    const none = await shrink(failure!, registerWorld(true), { maxRuns: 0 })
    expect(none).toEqual({ failure, runs: 0 })
    const all = await shrink(failure!, registerWorld(true))
    expect(all.failure.faults).toHaveLength(1)
  })

  test('shortens and softens what is left', async () => {
    const faults = [{ kind: 'clockJump', node: 'a', atMs: 10, byMs: -50_000 }] as const
    const world = (s: import('../src/index.ts').Scenario) => {
      let last = 0
      let isBack = false
      s.node('a', async (env) => {
        for (;;) {
          await env.sleep(1)
          isBack ||= env.now() <= last - 100
          last = env.now()
        }
      })
      s.invariant('no step back', () => !isBack)
    }
    const found = await simulate({ seed: 1, faults, horizonMs: 5000 }, world).catch((e) => e)
    const { failure } = await shrink(found, world)
    expect(failure.horizonMs).toBeLessThan(20)
    expect(failure.faults[0]).toMatchObject({ kind: 'clockJump' })
    const { byMs } = failure.faults[0] as { byMs: number }
    expect(byMs).toBeLessThanOrEqual(-101)
    expect(byMs).toBeGreaterThan(-204)
  })

  test('does not hide what is wrong with the world itself', async () => {
    const found = await failureOf(...(await aFailure()))
    const other = () => {
      throw new Error('set-up')
    }
    await expect(shrink(found, other)).rejects.toThrow('set-up')
    await expect(explore({ runs: 1 }, other)).rejects.toThrow('set-up')
  })

  async function aFailure(): Promise<[number, readonly Fault[]]> {
    const { failures } = await explore(
      { ...options, runs: 2000, shrink: false },
      registerWorld(true),
    )
    expect(failures[0]!.shrunk).toBe(failures[0]!.failure)
    return [failures[0]!.failure.seed, failures[0]!.failure.faults]
  }
})
