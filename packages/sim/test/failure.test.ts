import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type Scenario,
  type SimulateOptions,
  SimulationFailure,
  simulate,
  type WorldSetup,
} from '../src/index.ts'

const base = { seed: 7, faults: [], horizonMs: 100 } as const
const DRAINS = ['tick', 'immediate'] as const

async function failureOf(
  world: WorldSetup,
  options: Partial<SimulateOptions> = {},
): Promise<SimulationFailure> {
  const error = await simulate({ ...base, ...options }, world).then(
    (report) => expect.unreachable(`it did not fail: ${report.replay}`),
    (reason: unknown) => reason,
  )
  if (error instanceof SimulationFailure) return error
  throw error
}

const process_ = globalThis.process
const listeners = () =>
  ['unhandledRejection', 'uncaughtException'].map((event) => process_.listeners(event as 'exit'))

afterEach(() => vi.restoreAllMocks())

describe('a run fails', () => {
  test('when an invariant does not hold after an event', async () => {
    let owners = 0
    const world = (s: Scenario) => {
      owners = 0
      s.node('a', async (env) => {
        await env.sleep(5)
        env.log('takes the lock')
        owners++
        await env.sleep(5)
        owners++
      })
      s.invariant('calm', () => true)
      s.invariant('one owner', () => owners < 2 || `${owners} owners`)
    }
    const failure = await failureOf(world)
    expect(failure).toMatchObject({
      name: 'SimulationFailure',
      code: 'ERR_SIM_INVARIANT',
      subject: 'one owner',
      seed: 7,
      horizonMs: 100,
      faults: [],
      atMs: 10,
      replay: 'simulate({ seed: 7, horizonMs: 100, faults: [] }, world)',
    })
    expect(failure.message).toContain('invariant "one owner" violated: 2 owners')
    expect(failure.message).toContain('at 10 ms, seed 7, 0 faults')
    expect(failure.message).toContain('a: takes the lock')
    expect(failure.message.split('\n').at(-1)).toBe(`replay: ${failure.replay}`)
    expect(failure.trace.at(-1)).toMatch(/10\.000 ms {2}a: timer/)
    expect((await failureOf(world)).hash).toBe(failure.hash)
  })

  test('and tells of its last 64 steps, of each at most 160 letters', async () => {
    const failure = await failureOf((s) => {
      s.node('a', (env) => {
        for (let i = 0; i < 70; i++) env.log(`step ${i}`)
        env.log('x'.repeat(142))
        env.log('x'.repeat(143))
      })
      s.invariant('never', () => s.elapsedMs() < 0)
    })
    const start = '     0.000 ms  a: '
    expect(failure.trace).toHaveLength(64)
    expect(failure.trace.slice(-2)).toEqual([
      `${start}${'x'.repeat(142)}`,
      `${start}${'x'.repeat(141)}…`,
    ])
    expect(failure.trace[0]).toBe(`${start}step 8`)
  })

  test('when a judge does not accept the history', async () => {
    const world = (accepts: () => boolean | string) => (s: Scenario) => {
      s.client('c', (env) => env.invoke('read', { key: 'x' }).ok(1))
      s.judge('fair', () => true)
      s.judge('strict', accepts)
      s.judge('after the first refusal', () => expect.unreachable('nobody asks'))
    }
    const failure = await failureOf(world(() => 'read 1 of nothing'))
    expect(failure).toMatchObject({ code: 'ERR_SIM_JUDGE', subject: 'strict' })
    expect(failure.message).toContain('judge "strict" refuses the history: read 1 of nothing')
    expect((await failureOf(world(() => false))).message).toContain('refuses the history\n')
    const thrown = await failureOf(
      world(() => {
        throw new TypeError('broken')
      }),
    )
    expect(thrown.message).toContain('refuses the history: TypeError: broken')
  })

  test('but asks its judges once, at the end, and only if nothing failed before', async () => {
    const asked: number[] = []
    const world = (s: Scenario) => {
      s.client('c', async (env) => {
        env.invoke('write', { key: 'x', value: 1 }).ok()
        await env.sleep(30)
        env.invoke('write', { key: 'x', value: 2 }).ok()
      })
      s.judge('counts', (history) => {
        asked.push(history.length)
        return true
      })
    }
    await simulate(base, world)
    expect(asked).toEqual([4])
    await failureOf((s) => {
      world(s)
      s.invariant('never', () => false)
    })
    expect(asked).toEqual([4])
  })

  test('when an invariant throws, or says something else', async () => {
    const thrown = await failureOf((s) => {
      s.invariant('i', () => {
        throw new TypeError('broken')
      })
    })
    expect(thrown.message).toContain('"i" violated: TypeError: broken')
    expect(thrown.cause).toBeInstanceOf(TypeError)
    const odd = await failureOf((s) => s.invariant('i', () => undefined as never))
    expect(odd.message).toContain('it must return true, false or a text that explains')
    const both = await failureOf((s) => {
      for (const name of ['first', 'second']) s.invariant(name, () => false)
    })
    expect(both.subject).toBe('first')
    const plain = await failureOf((s) => s.invariant('i', () => false))
    expect(plain.message).toContain('invariant "i" violated\n')
  })

  test.each(DRAINS)('when a client throws (%s)', async (drain) => {
    const cause = new Error('no answer')
    const failure = await failureOf(
      (s) => {
        s.client('c1', async (env) => {
          await env.sleep(3)
          throw cause
        })
      },
      { drain },
    )
    expect(failure).toMatchObject({ code: 'ERR_SIM_CLIENT', subject: 'c1', atMs: 3.001, cause })
    expect(failure.message).toContain('client "c1" threw: Error: no answer')
  })

  test.each(DRAINS)('when a node throws: start, message, timer, promise (%s)', async (drain) => {
    const boom = () => {
      throw new Error('boom')
    }
    const programs: Parameters<Scenario['node']>[1][] = [
      boom,
      async () => boom(),
      (env) => env.onMessage(boom),
      (env) => env.onMessage(async () => boom()),
      (env) => env.timers.setTimeout(boom, 5),
      (env) => env.timers.setTimeout(async () => boom(), 5),
    ]
    for (const program of programs) {
      const failure = await failureOf(
        (s) => {
          s.node('n', program)
          s.client('c', (env) => env.send('n', 'hello'))
        },
        { drain },
      )
      expect(failure).toMatchObject({ code: 'ERR_SIM_NODE', subject: 'n' })
      expect(failure.message).toContain('node "n" threw: Error: boom')
    }
  })

  test.each(DRAINS)('on a rejection that nobody handles, with its seed (%s)', async (drain) => {
    const before = listeners()
    const outside = vi.fn()
    process_.on('unhandledRejection', outside)
    try {
      const failure = await failureOf(
        (s) => {
          s.node('n', async (env) => {
            await env.sleep(20)
            void (async () => {
              await env.sleep(1)
              throw new RangeError('lost')
            })()
          })
        },
        { drain },
      )
      expect(failure).toMatchObject({ code: 'ERR_SIM_REJECTION', subject: 'n', seed: 7, atMs: 21 })
      expect(failure.message).toContain('unhandled in node "n": RangeError: lost')
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(outside).not.toHaveBeenCalled()
      expect(process_.listeners('unhandledRejection')).toContain(outside)
    } finally {
      process_.off('unhandledRejection', outside)
    }
    expect(listeners()).toEqual(before)
  })

  test.each(DRAINS)('on a throw out of a microtask or a listener (%s)', async (drain) => {
    const micro = await failureOf(
      (s) => {
        s.node('n', () => {
          queueMicrotask(() => {
            throw new Error('micro')
          })
        })
      },
      { drain },
    )
    expect(micro).toMatchObject({ code: 'ERR_SIM_REJECTION', subject: 'n' })
    const listener = await failureOf(
      (s) => {
        s.node('n', (env) => {
          env.timeoutSignal(5).addEventListener('abort', () => {
            throw new Error('listener')
          })
        })
      },
      { drain },
    )
    expect(listener).toMatchObject({ code: 'ERR_SIM_REJECTION', subject: 'n' })
  })

  test('not on a rejection that somebody handles', async () => {
    let isHandled = false
    await simulate(base, (s) => {
      s.node('n', async (env) => {
        const late = env.sleep(5, { signal: env.timeoutSignal(2) })
        await expect(late).rejects.toMatchObject({ name: 'TimeoutError' })
        const signal = AbortSignal.abort('why')
        await expect(env.sleep(5, { signal })).rejects.toBe('why')
        isHandled = true
      })
    })
    expect(isHandled).toBe(true)
  })

  test('when a client waits for what never comes: by its name, not with a hang', async () => {
    const failure = await failureOf((s) => {
      s.client('patient', () => new Promise(() => {}))
      s.client('quick', () => 1)
    })
    expect(failure).toMatchObject({ code: 'ERR_SIM_HANGS', subject: 'patient', atMs: 60_100 })
    expect(failure.message).toContain('client "patient" waits for a promise that never settles')
    const outlasted = await failureOf((s) => s.client('patient', () => new Promise(() => {})), {
      faults: [{ kind: 'loss', atMs: 1, forMs: 1e6, rate: 0 }],
    })
    expect(outlasted.message).toContain('client "patient" waits for a promise that never settles')
    const busy = await failureOf(
      (s) => {
        s.client('patient', () => new Promise(() => {}))
        s.node('busy', async (env) => {
          for (;;) await env.sleep(1)
        })
      },
      { settleMs: 500 },
    )
    expect(busy).toMatchObject({ code: 'ERR_SIM_HANGS', subject: 'patient', atMs: 600 })
    expect(busy.message).toContain('did not end within 500 ms (settleMs)')
  })

  test('when it uses up its events', async () => {
    const spin = (s: Scenario) => {
      s.node('n', async (env) => {
        for (;;) await env.sleep(0)
      })
    }
    const failure = await failureOf(spin, { maxEvents: 1000 })
    expect(failure).toMatchObject({ code: 'ERR_SIM_EVENTS', subject: '', atMs: 0 })
    const waiting = await failureOf(
      (s) => {
        spin(s)
        s.client('c', (env) => env.sleep(1))
      },
      { maxEvents: 1000 },
    )
    expect(waiting).toMatchObject({ code: 'ERR_SIM_HANGS', subject: 'c' })
  })
})

describe('after the heal', () => {
  test('a check is asked until it holds', async () => {
    let asked = 0
    const report = await simulate(base, (s) => {
      s.afterHeal(() => ++asked >= 5 || 'not yet', { withinMs: 1000 })
      s.afterHeal(async (env) => await env.sleep(20), { withinMs: 30 })
    })
    expect(asked).toBe(5)
    expect(report.simulatedMs).toBe(140)
  })

  test('a check can ask the nodes', async () => {
    const report = await simulate(base, (s) => {
      s.node('echo', (env) => env.onMessage((message, from) => env.send(from, message)))
      const check = (env: Parameters<Parameters<Scenario['afterHeal']>[0]>[0]) =>
        new Promise<boolean>((resolve) => {
          env.onMessage((message) => resolve(message === 'you there?'))
          env.send('echo', 'you there?')
        })
      s.afterHeal(check, { withinMs: 10, name: 'echo answers' })
    })
    expect(report.simulatedMs).toBeLessThan(105)
  })

  test('a check that does not come true in time fails with its reason', async () => {
    const failure = await failureOf((s) => {
      s.afterHeal(() => true, { withinMs: 10 })
      s.afterHeal(() => 'two of three', { withinMs: 50 })
    })
    expect(failure).toMatchObject({ code: 'ERR_SIM_LIVENESS', subject: 'afterHeal 2', atMs: 150 })
    expect(failure.message).toContain('"afterHeal 2" did not come true within 50 ms of the heal')
    expect(failure.message).toContain(': two of three')
    const odd = await failureOf((s) => s.afterHeal(() => 3, { withinMs: 5, name: 'odd' }))
    expect(odd.message).toContain('it must say true, false or why not, got 3')
    const no = await failureOf((s) => s.afterHeal(() => false, { withinMs: 5 }))
    expect(no.message).toContain('within 5 ms of the heal\n')
  })

  test('a check that waits for ever, or throws, fails by its name', async () => {
    const never = () => new Promise(() => {})
    const hangs = await failureOf((s) => s.afterHeal(never, { withinMs: 50, name: 'settles' }))
    expect(hangs).toMatchObject({ code: 'ERR_SIM_HANGS', subject: 'settles' })
    const slow = await failureOf((s) => s.afterHeal((env) => env.sleep(99), { withinMs: 50 }))
    expect(slow).toMatchObject({ code: 'ERR_SIM_LIVENESS', subject: 'afterHeal 1' })
    expect(slow.message).toContain('"afterHeal 1" did not come true within 50 ms of the heal\n')
    const throws = await failureOf((s) => {
      s.afterHeal(() => Promise.reject(new Error('no')), { withinMs: 50 })
    })
    expect(throws).toMatchObject({ code: 'ERR_SIM_CLIENT', subject: 'afterHeal 1' })
  })
})

describe('a run', () => {
  test('leaves no listener and no timer behind, however it ends', async () => {
    const before = listeners()
    await simulate(base, () => {})
    await failureOf((s) => s.invariant('no', () => false))
    await simulate({ ...base, seed: -1 }, () => {}).catch(() => {})
    await simulate(base, () => {
      throw new Error('set-up')
    }).catch(() => {})
    expect(listeners()).toEqual(before)
    expect(process_.getActiveResourcesInfo().filter((name) => name === 'Immediate')).toEqual([])
    expect((await simulate(base, () => {})).events).toBe(1)
  })

  test('takes its turn: what one leaves unhandled is not put down to another', async () => {
    const world = (isBad: boolean) => (s: Scenario) => {
      s.node('n', async (env) => {
        await env.sleep(5)
        if (isBad) void Promise.reject(new Error('lost'))
        await env.sleep(50)
      })
    }
    const before = listeners()
    const options = { ...base, drain: 'immediate' } as const
    const ended = await Promise.allSettled(
      [false, true, false].map((isBad) => simulate(options, world(isBad))),
    )
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(listeners()).toEqual(before)
    // Asked for between two events of the first, and not taken for code inside of it.
    const first = simulate(options, world(false))
    await new Promise((resolve) => setTimeout(resolve, 0))
    const second = simulate(options, world(false))
    expect((await second).hash).toBe((await first).hash)
  })

  test('ends at the horizon when nobody is waited for', async () => {
    const report = await simulate(base, (s) => {
      s.node('n', async (env) => {
        for (;;) await env.sleep(7)
      })
    })
    expect(report).toMatchObject({ simulatedMs: 100, seed: 7, faults: [], history: [] })
  })

  test('long ones let the host breathe', async () => {
    let beats = 0
    const timer = setInterval(() => beats++, 1)
    await simulate({ ...base, horizonMs: 300_000 }, (s) => {
      s.node('n', async (env) => {
        for (;;) await env.sleep(1)
      })
    })
    clearInterval(timer)
    expect(beats).toBeGreaterThan(3)
  })
})
