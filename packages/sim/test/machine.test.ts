import { describe, expect, test } from 'vitest'
import { type Env, type Fault, simulate } from '../src/index.ts'

const crashAt = (atMs: number, downMs = 10) =>
  ({ kind: 'crash', node: 'a', atMs, downMs, unsyncedLoss: 1 }) as const

describe('a crash', () => {
  test('ends a process and begins another, with a new env', async () => {
    const lives: [incarnation: number, atMs: number][] = []
    const { injected } = await simulate(
      { seed: 1, faults: [crashAt(10), crashAt(15), crashAt(50, 1000)], horizonMs: 100 },
      (s) => {
        s.node('a', (env) => {
          lives.push([env.incarnation, s.elapsedMs()])
          expect(env.monotonic()).toBe(0)
        })
        s.afterHeal(() => lives.length === 3 && s.isUp('a'), { withinMs: 1 })
        s.invariant('down while it is down', () => {
          const t = s.elapsedMs()
          return s.isUp('a') || t === 0 || (t >= 10 && t <= 20) || (t >= 50 && t <= 100)
        })
      },
    )
    expect(lives).toEqual([
      [1, 0],
      [2, 20],
      [3, 100],
    ])
    expect(injected.crash).toBe(2)
  })

  test('leaves nothing of the old process alive', async () => {
    const ghosts: string[] = []
    const kept: { env: Env; op: ReturnType<Env['invoke']> }[] = []
    const controller = new AbortController()
    const { history } = await simulate({ seed: 1, faults: [crashAt(10)], horizonMs: 200 }, (s) => {
      s.node('b', (env) => env.onMessage((message) => ghosts.push(`b heard ${message}`)))
      s.node('a', (env) => {
        if (env.incarnation > 1) return
        const { signal } = controller
        kept.push({ env, op: env.invoke('write', { value: 1 }) })
        env.timers.setTimeout(() => ghosts.push('timer'), 20)
        env.sleep(20).then(() => ghosts.push('sleep'))
        env.sleep(90, { signal }).catch(() => ghosts.push('aborted'))
        env.timeoutSignal(20).addEventListener('abort', () => ghosts.push('signal'))
        env.onMessage(() => ghosts.push('message'))
        env.timers.setTimeout(() => env.disk.sync('f').then(() => ghosts.push('disk')), 9.999)
      })
      s.client('c', async (env) => {
        await env.sleep(9.9)
        env.send('a', 'under way when it crashes')
        await env.sleep(20)
        controller.abort()
        const { env: dead, op } = kept[0]!
        const { send, sleep, timers, onMessage, buggify, invoke, log, disk, timeoutSignal } = dead
        send('b', 'from a ghost')
        onMessage(() => ghosts.push('late handler'))
        timers.setTimeout(() => ghosts.push('late timer'), 1)
        sleep(1).then(() => ghosts.push('late sleep'))
        sleep(1, { signal: AbortSignal.abort() }).catch(() => ghosts.push('late abort'))
        timeoutSignal(1).addEventListener('abort', () => ghosts.push('late signal'))
        disk.append('f', 'x').then(() => ghosts.push('late disk'))
        disk.read('f').then(() => ghosts.push('late read'))
        for (let i = 0; i < 99; i++) if (buggify(`ghost ${i}`)) ghosts.push('buggify')
        log('from a ghost')
        invoke('read').ok(1)
        op.ok()
        env.send('a', 'to the new process')
        await env.sleep(50)
      })
    })
    expect(ghosts).toEqual([])
    expect(history.map(({ type, f }) => [type, f])).toEqual([['invoke', 'write']])
  })

  test('forgives what a dead process still had to say', async () => {
    const { injected } = await simulate({ seed: 1, faults: [crashAt(10)], horizonMs: 50 }, (s) => {
      let reject = (_: Error) => {}
      const outside = new Promise<void>((_, no) => {
        reject = no
      })
      s.node('a', (env) => (env.incarnation === 1 ? outside : undefined))
      s.client('c', async (env) => {
        await env.sleep(20)
        reject(new Error('from beyond'))
      })
    })
    expect(injected.crash).toBe(1)
  })

  test('does not happen at the horizon or behind it', async () => {
    const faults = [crashAt(100), crashAt(101)]
    const { injected } = await simulate({ seed: 1, faults, horizonMs: 100 }, (s) => {
      s.node('a', () => {})
      s.client('c', (env) => env.sleep(150))
    })
    expect(injected.crash).toBe(0)
  })

  test('a restart keeps what was written but not synced; a crash may lose it', async () => {
    for (const kind of ['restart', 'crash'] as const) {
      const sizes: number[] = []
      const fault = { kind, node: 'a', atMs: 50, downMs: 5, unsyncedLoss: 1 } as Fault
      await simulate({ seed: 1, faults: [fault], horizonMs: 100 }, (s) => {
        s.node('a', async (env) => {
          sizes.push((await env.disk.read('f')).length)
          await env.disk.append('f', 'unsynced')
        })
      })
      expect(sizes).toEqual(kind === 'restart' ? [0, 8] : [0, 0])
    }
  })
})

describe('an env after the run', () => {
  test('is dead too, so that nothing leaks out of it', async () => {
    let kept: Env | undefined
    let calls = 0
    const { history } = await simulate({ seed: 1, faults: [], horizonMs: 1 }, (s) => {
      s.node('a', (env) => {
        kept = env
      })
    })
    kept!.sleep(1, { signal: AbortSignal.abort() }).catch(() => calls++)
    kept!.invoke('late')
    expect(history).toEqual([])
    kept!.timers.setTimeout(() => calls++, 0)
    kept!.sleep(0).then(() => calls++)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(calls).toBe(0)
  })
})

describe('a process that stands still', () => {
  const beats = async (faults: readonly Fault[]) => {
    const seen: [atMs: number, what: unknown][] = []
    const report = await simulate({ seed: 3, faults, horizonMs: 200 }, (s) => {
      s.node('a', (env) => {
        let n = 0
        const beat = () => {
          seen.push([s.elapsedMs(), n++])
          env.timers.setTimeout(beat, 1)
        }
        beat()
        env.onMessage((message) => seen.push([s.elapsedMs(), message]))
        // Cleared by an older event that waits as well: it must not fire.
        const doomed = env.timers.setTimeout(() => seen.push([s.elapsedMs(), 'doomed']), 62)
        env.timers.setTimeout(() => env.timers.clearTimeout(doomed), 61)
      })
      s.client('c', async (env) => {
        for (let i = 0; i < 10; i++) {
          await env.sleep(10)
          env.send('a', `m${i}`)
        }
      })
    })
    return { seen, report }
  }

  test('pause: nothing happens, then what came in is done in order', async () => {
    const { seen, report } = await beats([{ kind: 'pause', node: 'a', atMs: 50, forMs: 40 }])
    expect(seen.filter(([at]) => at > 50 && at < 90)).toEqual([])
    const messages = seen.filter(([, what]) => typeof what === 'string')
    expect(messages.map(([, what]) => what)).toEqual(Array.from({ length: 10 }, (_, i) => `m${i}`))
    expect(messages.filter(([at]) => at === 90).length).toBeGreaterThan(2)
    expect(report.injected.pause).toBe(1)
  })

  test('pause: what comes at the moment of waking waits for what came before', async () => {
    const faults = [{ kind: 'pause', node: 'a', atMs: 50, forMs: 40 }] as const
    for (let seed = 0; seed < 30; seed++) {
      const order: number[] = []
      await simulate({ seed, faults, horizonMs: 200 }, (s) => {
        s.node('a', ({ timers }) => {
          for (const ms of [90, 70, 60]) timers.setTimeout(() => order.push(ms), ms)
        })
      })
      expect(order).toEqual([60, 70, 90])
    }
  })

  test('pause: the heal ends it', async () => {
    const { seen } = await beats([{ kind: 'pause', node: 'a', atMs: 150, forMs: 1e6 }])
    expect(seen.at(-1)![0]).toBeLessThanOrEqual(200)
    let woken = -1
    const faults = [{ kind: 'pause', node: 'a', atMs: 10, forMs: 1e6 }] as const
    await simulate({ seed: 3, faults, horizonMs: 100 }, (s) => {
      s.node('a', async (env) => {
        await env.sleep(50)
        woken = s.elapsedMs()
      })
      s.afterHeal(() => woken >= 0, { withinMs: 5 })
    })
    expect(woken).toBe(100)
  })

  test('pause: a crash ends it, and what waited is gone', async () => {
    const { seen } = await beats([{ kind: 'pause', node: 'a', atMs: 50, forMs: 100 }, crashAt(80)])
    expect(seen.filter(([at]) => at > 50 && at < 90)).toEqual([])
    const after = seen.filter(([at]) => at >= 90).map(([, what]) => what)
    expect(after[0]).toBe(0)
    expect(after).not.toContain('m5')
  })

  test('slow: each step takes time, order stays, and it ends', async () => {
    const { seen, report } = await beats([
      { kind: 'slow', node: 'a', atMs: 50, forMs: 60, byMs: 20 },
    ])
    const slow = seen.filter(([at]) => at > 50 && at < 110).length
    expect(slow).toBeGreaterThan(3)
    expect(slow).toBeLessThan(20)
    const messages = seen.filter(([, what]) => typeof what === 'string').map(([, what]) => what)
    expect(messages).toEqual(Array.from({ length: 10 }, (_, i) => `m${i}`))
    expect(seen.filter(([at]) => at > 150).length).toBeGreaterThan(45)
    expect(report.injected.slow).toBe(1)
  })
})
