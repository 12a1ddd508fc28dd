// What a refusal and a failure say, word for word: what was given, what is allowed, what to do.

import { describe, expect, test } from 'vitest'
import { faultPlans } from '../src/fast-check.ts'
import {
  type Env,
  explore,
  type Scenario,
  type SimulateOptions,
  SimulationFailure,
  simulate,
} from '../src/index.ts'

const KINDS =
  'loss, duplication, reordering, latency, partition, oneWayPartition, clog, swizzle, crash, ' +
  'restart, pause, slow, clockJump, stepBack, drift, diskWrite, diskRead, bitFlip'

const base: SimulateOptions = { seed: 1, faults: [], horizonMs: 10 }
const nothing = () => {}

const messageOf = (given: object, world: (s: Scenario) => void = nothing) =>
  simulate({ ...base, ...given }, world).then(
    () => expect.unreachable('nothing was refused'),
    (error: Error) => error.message,
  )

test.each([
  [{ seed: -1 }, 'seed must be an integer from 0 to 9007199254740991, got -1'],
  [{ epochMs: 0.5 }, 'epochMs must be an integer from 0 to 9007199254740991, got 0.5'],
  [{ maxEvents: -1 }, 'maxEvents must be an integer from 0 to 9007199254740991, got -1'],
  [{ horizonMs: 1e10 }, 'horizonMs must be a number from 0 to 1000000000, got 10000000000'],
  [{ settleMs: '5' }, 'settleMs must be a number from 0 to 1000000000, got "5"'],
  [{ buggify: 2 }, 'buggify must be a number from 0 to 1, got 2'],
  [{ drain: 'x' }, "drain must be 'auto', 'immediate', 'tick' or 'none', got \"x\""],
  [{ kinds: 'loss' }, `kinds must be an array of ${KINDS}; got "loss"`],
  [{ faults: 5 }, 'faults must be an array of faults; got 5'],
  [{ faults: [{ kind: 'fire' }] }, `a fault's kind must be one of ${KINDS}; got {"kind":"fire"}`],
])('simulate refuses %j', async (given, message) => {
  expect(await messageOf(given)).toBe(message)
})

describe('a refusal says what is allowed', () => {
  test('of a profile', async () => {
    const given = { faults: undefined, profile: 'wild' }
    expect(await messageOf(given, (s) => s.node('a', nothing))).toBe(
      "profile must be 'calm', 'mixed', 'swarm' or 'hostile', got \"wild\"",
    )
  })

  test.each([
    [
      { kind: 'crash', node: 'c', atMs: 1, downMs: 1, unsyncedLoss: 1 },
      'node of a crash fault must be the id of a node (clients are not crashed): "a"',
    ],
    [
      { kind: 'loss', from: 'x', atMs: 1, forMs: 1, rate: 1 },
      'from of a loss fault must be the id of somebody in the world: "a","c"',
    ],
    [
      { kind: 'loss', atMs: 1, forMs: -1, rate: 1 },
      'forMs of a loss fault must be a number from 0 to 1000000000000',
    ],
    [
      { kind: 'clockJump', node: 'a', atMs: 1, byMs: -2e12 },
      'byMs of a clockJump fault must be a number from -1000000000000 to 1000000000000',
    ],
    [
      { kind: 'drift', node: 'a', atMs: 1, forMs: 1, ppm: 600_000 },
      'ppm of a drift fault must be a number from -500000 to 500000',
    ],
    [
      { kind: 'partition', atMs: 1, forMs: 1, nodes: [] },
      'nodes of a partition fault must be a non-empty array of ids out of "a","c"',
    ],
  ])('of the fault %j', async (fault, rule) => {
    const world = (s: Scenario) => {
      s.node('a', nothing)
      s.client('c', nothing)
    }
    expect(await messageOf({ faults: [fault] }, world)).toBe(
      `${rule}; got ${JSON.stringify(fault)}`,
    )
  })

  test.each([
    [(s: Scenario) => s.node(5 as never, nothing), "a node's id must be a string, got 5"],
    [(s: Scenario) => s.client('x', 7 as never), 'what client "x" does must be a function, got 7'],
    [
      (s: Scenario) => {
        s.node('a', nothing)
        s.client('a', nothing)
      },
      'the id "a" is taken; give each its own',
    ],
    [
      (s: Scenario) => {
        s.node('a', nothing)
        s.afterHeal(nothing, { withinMs: 1, name: 'a' })
      },
      'the name "a" is taken; give another',
    ],
    [async () => {}, 'the function that sets a world up must not be async'],
  ])('of the world %#', async (world, message) => {
    expect(await messageOf({}, world)).toBe(message)
  })

  test('of a call that comes late, by the name of the method', async () => {
    let late: Scenario | undefined
    await simulate(base, (s) => {
      late = s
    })
    const s = late!
    const calls: [string, () => void][] = [
      ['node', () => s.node('a', nothing)],
      ['client', () => s.client('a', nothing)],
      ['invariant', () => s.invariant('i', () => true)],
      ['judge', () => s.judge('j', () => true)],
      ['sometimes', () => s.sometimes('i', () => true)],
      ['afterHeal', () => s.afterHeal(() => true, { withinMs: 1 })],
    ]
    for (const [method, call] of calls) {
      expect(call).toThrow(`${method} must be called while the world is set up, not while it runs`)
    }
  })

  test('of runs and of nodes', async () => {
    await expect(explore({ runs: 0.5 }, nothing)).rejects.toThrow(
      'runs must be an integer of at least 0, got 0.5',
    )
    expect(() => faultPlans({ nodes: [] })).toThrow(
      'nodes must be an array of at least one id, got []',
    )
  })

  const data = 'a message must be data that structuredClone can copy, without cycles, but '
  test.each<[(env: Env) => unknown, string]>([
    [(env) => env.send('nobody', 1), 'nobody is called "nobody"; there are "a", "b"'],
    [(env) => env.send('a', [nothing]), `${data}it holds a function`],
    [(env) => env.timers.setTimeout(1 as never), 'callback must be a function, got 1'],
    [(env) => env.disk.read(1 as never), "a file's name must be a string, got 1"],
    [(env) => env.disk.append('f', 1 as never), 'data must be a string or a Uint8Array, got 1'],
    [(env) => env.disk.truncate('f', -1), 'size must be a whole number of bytes, got -1'],
    [(env) => env.disk.read('f', -1), 'offset must be a whole number of bytes, got -1'],
    [(env) => env.disk.read('f', 0, -1), 'length must be a whole number of bytes, got -1'],
    [(env) => env.sleep(-1), 'sleep must be a number of milliseconds from 0 to 1e12, got -1'],
    [(env) => env.timeoutSignal(-1), 'timeout must be a number of milliseconds from 0 to 1e12'],
    [(env) => env.timers.setTimeout(nothing, -1), 'delay must be a number of milliseconds from 0'],
    [(env) => env.invoke(1 as never), "f must be an operation's name, got 1"],
    [
      (env) => {
        const operation = env.invoke('read')
        operation.ok()
        operation.fail()
      },
      'operation 0 (read) has ended as ok and cannot end as fail too; ' +
        'call exactly one of ok, fail and info, once',
    ],
  ])('of what an env is asked for %#', async (ask, message) => {
    let said = ''
    await simulate(base, (s) => {
      s.node('a', (env) => {
        try {
          ask(env)
        } catch (error) {
          said = (error as Error).message
        }
      })
      s.node('b', nothing)
    })
    expect(said).toContain(message.replace('1e12', '1000000000000'))
  })
})

describe('a failure says', () => {
  const failure = async (given: object, world: (s: Scenario) => void) => {
    const message = await messageOf(given, world)
    return message.split('\n')
  }

  test('how many faults it took', async () => {
    const loss = { kind: 'loss', atMs: 1, forMs: 1, rate: 1 }
    const never = (s: Scenario) => s.invariant('never', () => s.elapsedMs() < 0)
    const told = async (faults: object[]) => (await failure({ faults }, never))[1]
    expect(await told([])).toBe('  at 10 ms, seed 1, 0 faults')
    expect(await told([loss])).toBe('  at 1 ms, seed 1, 1 fault')
    expect(await told([loss, loss])).toBe('  at 1 ms, seed 1, 2 faults')
  })

  test('how to replay it, with every field of every fault', async () => {
    const faults = [
      { kind: 'partition', nodes: ['n', 'm'], atMs: 1, forMs: 2 },
      { kind: 'crash', node: 'n', atMs: 3, downMs: 1, unsyncedLoss: 0.5 },
    ]
    const late = (s: Scenario) => {
      for (const id of ['n', 'm']) s.node(id, (env) => env.sleep(5))
      s.invariant('never', () => s.elapsedMs() < 5)
    }
    expect((await failure({ faults, buggify: 0.5 }, late)).at(-1)).toBe(
      'replay: simulate({ seed: 1, horizonMs: 10, buggify: 0.5, faults: [' +
        "{ kind: 'partition', nodes: ['n', 'm'], atMs: 1, forMs: 2 }, " +
        "{ kind: 'crash', node: 'n', atMs: 3, downMs: 1, unsyncedLoss: 0.5 }] }, world)",
    )
  })

  test('its last twelve steps', async () => {
    const world = (s: Scenario) => {
      s.node('n', (env) => {
        for (let i = 0; i < 30; i++) env.log(`step ${i}`)
      })
      s.invariant('never', () => false)
    }
    const lines = await failure({}, world)
    expect(lines.slice(2, -1).map((line) => line.split(': ')[1])).toEqual(
      Array.from({ length: 12 }, (_, i) => `step ${18 + i}`),
    )
  })

  test('what it waited for when it used up its events', async () => {
    const spin = (s: Scenario) =>
      s.node('n', async (env) => {
        for (;;) await env.sleep(0)
      })
    const given = { maxEvents: 50 }
    const used = 'the run used up its 50 events (maxEvents)'
    expect((await failure(given, spin))[0]).toBe(used)
    const waiting = (s: Scenario) => {
      spin(s)
      s.client('c', (env) => env.sleep(1))
      s.client('d', (env) => env.sleep(1))
    }
    expect((await failure(given, waiting))[0]).toBe(`${used} while waiting for c, d`)
  })

  test('that a drain without microtasks has no promises', async () => {
    const world = (s: Scenario) => s.client('c', async () => {})
    expect((await failure({ drain: 'none' }, world))[0]).toBe(
      'client "c" threw: SimError: ' +
        "drain 'none' runs no microtasks: use callbacks only, or another drain",
    )
  })

  test('which clients it waited for, and how long', async () => {
    const world = (s: Scenario) => {
      s.client('c', () => new Promise(nothing))
      s.client('d', () => new Promise(nothing))
    }
    expect((await failure({ settleMs: 5 }, world))[0]).toBe(
      'client "c", "d" waits for a promise that never settles',
    )
    const slow = (s: Scenario) => s.client('c', (env) => env.sleep(99))
    expect((await failure({ settleMs: 5 }, slow))[0]).toBe(
      'client "c" did not end within 5 ms (settleMs) of the heal',
    )
  })

  test('what nobody would call an error as it is', async () => {
    const world = (s: Scenario) => {
      s.node('n', () => {
        throw { code: 7 }
      })
    }
    const error = await simulate(base, world).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SimulationFailure)
    expect(error).toMatchObject({ name: 'SimulationFailure', cause: { code: 7 } })
    expect((error as Error).message.split('\n')[0]).toBe('node "n" threw: {"code":7}')
  })
})
