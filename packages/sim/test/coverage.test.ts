import { describe, expect, test } from 'vitest'
import { explore, type Scenario, simulate } from '../src/index.ts'

const base = { seed: 1, faults: [], horizonMs: 100 } as const

describe('sometimes', () => {
  test('is reached once it was true after an event, and not before', async () => {
    let looked = 0
    const { coverage } = await simulate(base, (s) => {
      s.node('n', (env) => env.sleep(50))
      s.sometimes('late', () => {
        looked++
        return s.elapsedMs() >= 50
      })
      s.sometimes('never', () => s.elapsedMs() > 1000)
    })
    expect(coverage.sometimes).toEqual(
      new Map([
        ['late', 1],
        ['never', 0],
      ]),
    )
    expect(looked).toBe(2)
  })

  test('is summed over runs', async () => {
    const { coverage } = await explore({ ...base, seed: 5, runs: 20 }, (s) => {
      s.sometimes('even', () => s.seed % 2 === 0)
    })
    expect(coverage.sometimes).toEqual(new Map([['even', 10]]))
  })

  test('that throws fails the run', async () => {
    const run = simulate(base, (s) => {
      s.sometimes('broken', () => {
        throw new Error('oh')
      })
    })
    await expect(run).rejects.toMatchObject({ code: 'ERR_SIM_INVARIANT', subject: 'broken' })
  })
})

describe('buggify', () => {
  const world = (s: Scenario) => {
    s.node('n', async (env) => {
      for (let i = 0; i < 40; i++) {
        env.buggify('first')
        env.buggify('__proto__')
        await env.sleep(1)
      }
    })
  }

  test('is off for a label in most runs, and then fires some of the time', async () => {
    let on = 0
    let fired = 0
    let together = 0
    for (let seed = 0; seed < 200; seed++) {
      const { coverage } = await simulate({ ...base, seed }, world)
      const first = coverage.buggify.get('first')!
      expect(first.reached).toBe(40)
      if (first.fired > 0) {
        on++
        fired += first.fired
        if (coverage.buggify.get('__proto__')!.fired > 0) together++
      }
    }
    expect(on).toBeGreaterThan(30)
    expect(on).toBeLessThan(75)
    expect(fired / on).toBeGreaterThan(8)
    expect(fired / on).toBeLessThan(12)
    expect(together).toBeLessThan(on / 2)
  })

  test('is as likely as the run says: never if calm, always on with 1', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const calm = await simulate({ seed, profile: 'calm', horizonMs: 50 }, world)
      expect(calm.coverage.buggify.get('first')).toEqual({ reached: 40, fired: 0 })
      expect(calm.replay).toBe(
        `simulate({ seed: ${seed}, horizonMs: 50, buggify: 0, faults: [] }, world)`,
      )
      const always = await simulate({ ...base, seed, buggify: 1 }, world)
      expect(always.coverage.buggify.get('first')!.fired).toBeGreaterThan(0)
    }
  })

  test('never fires after the heal', async () => {
    const fired: number[] = []
    await simulate({ ...base, buggify: 1 }, (s) => {
      s.client('c', async (env) => {
        for (let i = 0; i < 200; i++) {
          if (env.buggify('x')) fired.push(s.elapsedMs())
          await env.sleep(1)
        }
      })
    })
    expect(fired.length).toBeGreaterThan(10)
    expect(Math.max(...fired)).toBeLessThan(100.1)
  })

  test('is summed over runs, label by label', async () => {
    const { coverage } = await explore({ ...base, runs: 8, buggify: 1 }, world)
    let fired = 0
    for (let seed = 1; seed <= 8; seed++) {
      const alone = await simulate({ ...base, seed, buggify: 1 }, world)
      fired += alone.coverage.buggify.get('first')!.fired
    }
    expect([...coverage.buggify.keys()]).toEqual(['first', '__proto__'])
    expect(coverage.buggify.get('first')).toEqual({ reached: 320, fired })
  })
})

describe('the history', () => {
  test('holds what was invoked and how it ended, in real-time order', async () => {
    const { history } = await simulate(base, (s) => {
      s.client('c', async (env) => {
        const value = { list: [1] }
        const write = env.invoke('write', { key: 'x', value, node: 'n' })
        value.list.push(2)
        await env.sleep(5)
        const read = env.invoke('read')
        write.ok()
        read.ok([3], { node: 'n', version: { n: 1 } })
        env.invoke('cas', { key: '', value: [1, 2] }).fail('not 1')
        env.invoke('add', { value: 1 }).info()
        env.invoke('take')
      })
    })
    expect(history).toStrictEqual([
      {
        id: 0,
        type: 'invoke',
        process: 'c',
        f: 'write',
        key: 'x',
        value: { list: [1] },
        time: 0.001,
        node: 'n',
      },
      { id: 1, type: 'invoke', process: 'c', f: 'read', time: 5.001 },
      { id: 0, type: 'ok', process: 'c', f: 'write', key: 'x', time: 5.001 },
      {
        id: 1,
        type: 'ok',
        process: 'c',
        f: 'read',
        value: [3],
        time: 5.001,
        node: 'n',
        version: { n: 1 },
      },
      { id: 2, type: 'invoke', process: 'c', f: 'cas', key: '', value: [1, 2], time: 5.001 },
      { id: 2, type: 'fail', process: 'c', f: 'cas', key: '', value: 'not 1', time: 5.001 },
      { id: 3, type: 'invoke', process: 'c', f: 'add', value: 1, time: 5.001 },
      { id: 3, type: 'info', process: 'c', f: 'add', time: 5.001 },
      { id: 4, type: 'invoke', process: 'c', f: 'take', time: 5.001 },
    ])
  })
})

describe('an env', () => {
  test('has its own random numbers for every node and every incarnation', async () => {
    const seen: number[] = []
    const crash = { kind: 'crash', node: 'a', atMs: 10, downMs: 1, unsyncedLoss: 1 } as const
    await simulate({ ...base, faults: [crash] }, (s) => {
      for (const id of ['a', 'b']) {
        s.node(id, ({ random, randomBytes }) => {
          seen.push(random(), random())
          const bytes = new Uint8Array(7)
          randomBytes(bytes)
          expect(new Set(bytes).size).toBeGreaterThan(3)
          seen.push(new Uint32Array(bytes.slice(0, 4).buffer)[0]!)
        })
      }
    })
    expect(seen).toHaveLength(9)
    expect(new Set(seen).size).toBe(9)
  })

  test('calls timers of one moment in the order of their setting, unless cleared', async () => {
    const order: number[] = []
    await simulate(base, (s) => {
      s.node('n', ({ timers }) => {
        for (let i = 0; i < 5; i++) timers.setTimeout(() => order.push(i), 10)
        timers.setTimeout(() => order.push(-1), 5)
        timers.setTimeout(() => order.push(-2))
        const cleared = timers.setTimeout(() => order.push(99), 10)
        timers.clearTimeout(cleared)
      })
    })
    expect(order).toEqual([-2, -1, 0, 1, 2, 3, 4])
  })

  test('orders simultaneous events of different nodes by the seed', async () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const order: string[] = []
      await simulate({ ...base, seed }, (s) => {
        for (const id of ['a', 'b', 'c']) {
          s.node(id, ({ timers }) => timers.setTimeout(() => order.push(id), 10))
        }
      })
      orders.add(order.join(''))
    }
    expect(orders.size).toBe(6)
  })

  test('sleeps until its signal says otherwise, and leaves no listener on it', async () => {
    const said: unknown[] = []
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    await simulate(base, (s) => {
      s.client('c', async (env) => {
        await env.sleep(5, { signal })
        said.push(s.elapsedMs())
        await env.sleep(50, { signal: env.timeoutSignal(7) }).catch((error) => {
          said.push([error.name, error.message, s.elapsedMs()])
        })
      })
    })
    expect(said).toEqual([5.001, ['TimeoutError', '7 ms have passed', 12.001]])
    expect(listeners).toBe(0)
  })
})
