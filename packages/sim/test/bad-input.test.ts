import { describe, expect, test } from 'vitest'
import {
  type Env,
  explore,
  type Fault,
  type Scenario,
  SimError,
  type SimErrorCode,
  type SimulateOptions,
  SimulationFailure,
  simulate,
} from '../src/index.ts'

const refused = async (
  code: SimErrorCode,
  says: string,
  options: Partial<Record<keyof SimulateOptions, unknown>>,
  world: (s: Scenario) => void = () => {},
) => {
  const given = { seed: 1, faults: [], horizonMs: 10, ...options } as SimulateOptions
  const error = await simulate(given, world).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(SimError)
  expect(error).toMatchObject({ name: 'SimError', code, message: expect.stringContaining(says) })
}

describe('simulate refuses', () => {
  test.each([
    ['seed', -1],
    ['seed', 1.5],
    ['seed', '1'],
    ['seed', 2 ** 53],
    ['seed', undefined],
    ['horizonMs', -1],
    ['horizonMs', Number.NaN],
    ['horizonMs', 1e10],
    ['settleMs', '5'],
    ['maxEvents', 0.5],
    ['epochMs', -5],
    ['buggify', 1.1],
    ['drain', 'sometimes'],
  ])('%s: %s', async (name, value) => {
    await refused('ERR_SIM_OPTION', `${name} must be`, { [name]: value })
  })

  test('an unknown profile', async () => {
    const options = { faults: undefined, profile: 'wild' }
    await refused('ERR_SIM_OPTION', 'got "wild"', options, (s) => s.node('a', () => {}))
  })

  test('unknown kinds', async () => {
    await refused('ERR_SIM_FAULT', 'kinds must be', { kinds: ['crash', 'fire'] })
    await refused('ERR_SIM_FAULT', 'kinds must be', { kinds: 'crash' })
  })

  test('an id used twice, whoever uses it', async () => {
    const nothing = () => {}
    await refused('ERR_SIM_ID', '"a" is taken', {}, (s) => {
      s.node('a', nothing)
      s.node('a', nothing)
    })
    await refused('ERR_SIM_ID', '"a" is taken', {}, (s) => {
      s.client('a', nothing)
      s.node('a', nothing)
    })
    await refused('ERR_SIM_ID', '"x" is taken', {}, (s) => {
      s.client('x', nothing)
      s.afterHeal(nothing, { withinMs: 1, name: 'x' })
    })
    await refused('ERR_SIM_ID', 'must be a string, got 5', {}, (s) => s.node(5 as never, nothing))
  })

  test('what is no program, no bound, no setup', async () => {
    await refused('ERR_SIM_OPTION', 'what node "a" does', {}, (s) => s.node('a', 1 as never))
    await refused('ERR_SIM_DELAY', 'withinMs', {}, (s) => {
      s.afterHeal(() => true, { withinMs: -1 })
    })
    await refused('ERR_SIM_DELAY', 'withinMs', {}, (s) => {
      s.afterHeal(() => true, undefined as never)
    })
    await refused('ERR_SIM_SCENARIO', 'must not be async', {}, async () => {})
  })

  test('entries that come when the run has begun', async () => {
    let late: Scenario | undefined
    await simulate({ seed: 1, faults: [], horizonMs: 1 }, (s) => {
      late = s
    })
    const s = late!
    const entries = [
      () => s.node('a', () => {}),
      () => s.client('a', () => {}),
      () => s.invariant('i', () => true),
      () => s.sometimes('i', () => true),
      () => s.afterHeal(() => true, { withinMs: 1 }),
    ]
    for (const entry of entries) {
      expect(entry).toThrow(expect.objectContaining({ code: 'ERR_SIM_SCENARIO' }))
    }
    expect(() => s.isUp('nobody')).toThrow(expect.objectContaining({ code: 'ERR_SIM_UNKNOWN_ID' }))
  })

  test('a run inside of a run', async () => {
    const nested: unknown[] = []
    await simulate({ seed: 1, faults: [], horizonMs: 10 }, (s) => {
      s.client('c', async () => {
        nested.push(await simulate({ seed: 2 }, () => {}).catch((error: unknown) => error))
      })
    })
    const message = 'simulate was called by code that is being simulated'
    expect(nested).toEqual([expect.objectContaining({ code: 'ERR_SIM_NESTED', message })])
  })

  test('a negative number of runs', async () => {
    await expect(explore({ runs: -1 }, () => {})).rejects.toMatchObject({ code: 'ERR_SIM_OPTION' })
  })
})

describe('a plan is refused', () => {
  const world = (s: Scenario) => {
    s.node('a', () => {})
    s.client('c', () => {})
  }
  const at = { atMs: 1, forMs: 1 }
  const crash = { kind: 'crash', atMs: 1, downMs: 1, unsyncedLoss: 1 }

  test.each([
    ['no array', 5, 'must be an array'],
    ['no object', [null], 'kind must be one of'],
    ['an unknown kind', [{ kind: 'fire', ...at }], 'kind must be one of'],
    ['no node', [crash], 'node of a crash fault must be the id of a node'],
    ['a node that is not there', [{ ...crash, node: 'b' }], 'must be the id of a node'],
    ['a crash of a client', [{ ...crash, node: 'c' }], 'clients are not crashed'],
    ['a time before the run', [{ ...crash, node: 'a', atMs: -1 }], 'atMs of a crash fault'],
    ['no downtime', [{ ...crash, node: 'a', downMs: undefined }], 'downMs of a crash'],
    ['a loss over 1', [{ ...crash, node: 'a', unsyncedLoss: 2 }], 'from 0 to 1'],
    ['a rate over 1', [{ kind: 'loss', ...at, rate: 1.5 }], 'rate of a loss fault'],
    ['a rate that is NaN', [{ kind: 'loss', ...at, rate: Number.NaN }], 'rate of a loss'],
    ['no rate', [{ kind: 'diskRead', ...at, node: 'a' }], 'rate of a diskRead'],
    ['a link to nobody', [{ kind: 'loss', ...at, rate: 1, to: 'x' }], 'to of a loss'],
    ['a link from nobody', [{ kind: 'clog', ...at, from: 'x' }], 'from of a clog'],
    ['an empty group', [{ kind: 'partition', ...at, nodes: [] }], 'non-empty array'],
    ['a group with a stranger', [{ kind: 'swizzle', ...at, nodes: ['x'] }], 'out of "a","c"'],
    ['a step back forward', [{ kind: 'stepBack', node: 'a', atMs: 1, byMs: -1 }], 'byMs of a'],
    ['a clock that stands', [{ kind: 'drift', ...at, node: 'a', ppm: -1e6 }], 'ppm of a drift'],
  ])('with %s', async (_, faults, says) => {
    await refused('ERR_SIM_FAULT', says, { faults }, world)
  })

  test('but not for what is allowed at the edge', async () => {
    const faults: Fault[] = [
      { ...crash, kind: 'crash', node: 'a', atMs: 0, downMs: 0, unsyncedLoss: 0 },
      { kind: 'loss', atMs: 0, forMs: 0, rate: 0, from: 'c', to: 'a' },
      { kind: 'partition', atMs: 1e9, forMs: 1, nodes: ['c'] },
      { kind: 'drift', ...at, node: 'a', ppm: -500_000 },
      { kind: 'clockJump', node: 'a', atMs: 0.5, byMs: -1e9 },
    ]
    await simulate({ seed: 1, faults, horizonMs: 10 }, world)
  })
})

describe('an env refuses', () => {
  const attempts: [string, SimErrorCode, (env: Env) => unknown][] = [
    ['a negative sleep', 'ERR_SIM_DELAY', (env) => env.sleep(-1)],
    ['a delay that is NaN', 'ERR_SIM_DELAY', (env) => env.timers.setTimeout(() => {}, Number.NaN)],
    ['an infinite timeout', 'ERR_SIM_DELAY', (env) => env.timeoutSignal(Infinity)],
    ['a callback that is none', 'ERR_SIM_OPTION', (env) => env.timers.setTimeout(5 as never, 1)],
    ['a message to nobody', 'ERR_SIM_UNKNOWN_ID', (env) => env.send('nobody', 1)],
    ['a message with a function', 'ERR_SIM_MESSAGE', (env) => env.send('a', { f: () => {} })],
    ['a message with a symbol', 'ERR_SIM_MESSAGE', (env) => env.send('a', [Symbol('s')])],
    ['a message nobody can copy', 'ERR_SIM_MESSAGE', (env) => env.send('a', new WeakMap())],
    ['a file without a name', 'ERR_SIM_DISK', (env) => env.disk.read(undefined as never)],
    ['data that is none', 'ERR_SIM_DISK', (env) => env.disk.append('f', 5 as never)],
    ['a negative offset', 'ERR_SIM_DISK', (env) => env.disk.write('f', -1, '')],
    ['half a byte', 'ERR_SIM_DISK', (env) => env.disk.truncate('f', 0.5)],
    ['an operation without a name', 'ERR_SIM_HISTORY', (env) => env.invoke(1 as never)],
    [
      'a second end of an operation',
      'ERR_SIM_HISTORY',
      (env) => {
        const op = env.invoke('read')
        op.ok()
        op.info()
      },
    ],
    [
      'a cyclic message',
      'ERR_SIM_MESSAGE',
      (env) => {
        const cycle: unknown[] = []
        cycle.push(cycle)
        env.send('a', cycle)
      },
    ],
  ]

  test.each(attempts)('%s', async (_, code, attempt) => {
    const errors: unknown[] = []
    await simulate({ seed: 1, faults: [], horizonMs: 10 }, (s) => {
      s.node('a', (env) => {
        try {
          attempt(env)
        } catch (error) {
          errors.push(error)
        }
      })
    })
    expect(errors).toEqual([expect.objectContaining({ name: 'SimError', code })])
  })

  test('promises where no microtask runs', async () => {
    const error = await simulate({ seed: 1, faults: [], horizonMs: 10, drain: 'none' }, (s) => {
      s.client('c', async () => {})
    }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SimulationFailure)
    expect(error).toMatchObject({ cause: { code: 'ERR_SIM_DRAIN' } })
  })

  test('nothing when a timer that is none is cleared', async () => {
    await simulate({ seed: 1, faults: [], horizonMs: 10 }, (s) => {
      s.node('a', ({ timers }) => {
        const timer = timers.setTimeout(() => {}, 1)
        expect(timer.ref().unref()).toBe(timer)
        for (const other of [undefined, null, 5, timer, timer]) timers.clearTimeout(other)
      })
    })
  })
})
