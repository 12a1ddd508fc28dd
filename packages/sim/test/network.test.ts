import { describe, expect, test } from 'vitest'
import { type Fault, type FaultKind, type SimulationReport, simulate } from '../src/index.ts'

interface Arrival {
  readonly message: unknown
  readonly atMs: number
}

/** Sends 0, 1, 2, … from `a` to `b`, one a millisecond, for a second; says what came and when. */
async function stream(faults: readonly Fault[], seed = 1) {
  const arrivals: Arrival[] = []
  const back: Arrival[] = []
  const report = await simulate({ seed, faults, horizonMs: 2000 }, (s) => {
    s.node('b', (env) => {
      env.onMessage((message, from) => {
        arrivals.push({ message, atMs: s.elapsedMs() })
        env.send(from, message)
      })
    })
    s.node('a', async (env) => {
      env.onMessage((message) => back.push({ message, atMs: s.elapsedMs() }))
      for (let i = 0; i < 1000; i++) {
        await env.sleep(1)
        env.send('b', i)
      }
    })
  })
  return { arrivals, back, report, numbers: arrivals.map(({ message }) => Number(message)) }
}

const during = (arrivals: readonly Arrival[], fromMs: number, toMs: number) =>
  arrivals.filter(({ atMs }) => atMs > fromMs && atMs <= toMs).length

const ascending = (numbers: readonly number[]) =>
  numbers.every((n, i) => i === 0 || n > numbers[i - 1]!)

const window = { atMs: 300, forMs: 300 }

function onlyInjected(report: SimulationReport, ...kinds: FaultKind[]) {
  for (const [kind, count] of Object.entries(report.injected)) {
    expect([kind, count > 0]).toEqual([kind, kinds.includes(kind as FaultKind)])
  }
}

describe('a network without faults', () => {
  test('delivers everything once, in order, within a few milliseconds', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { arrivals, numbers, report } = await stream([], seed)
      expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i))
      for (const { message, atMs } of arrivals) {
        expect(atMs - Number(message) - 1).toBeGreaterThanOrEqual(0.2)
        expect(atMs - Number(message) - 1).toBeLessThan(2)
      }
      onlyInjected(report)
    }
  })

  test('delivers copies: what one side changes the other does not see', async () => {
    const seen: unknown[] = []
    const sent = { list: [1, { deep: 'a' }], when: new Date(5), bytes: new Uint8Array([1, 2]) }
    await simulate({ seed: 1, faults: [], horizonMs: 10 }, (s) => {
      s.node('b', (env) => env.onMessage((message) => seen.push(message)))
      s.client('a', (env) => {
        env.send('b', sent)
        env.send('b', sent)
        sent.list.push(2)
        sent.bytes[0] = 9
      })
    })
    const original = { ...sent, list: [1, { deep: 'a' }], bytes: new Uint8Array([1, 2]) }
    expect(seen).toEqual([original, original])
    expect(seen[0]).not.toBe(seen[1])
  })

  test('delivers to oneself too, at once and to every handler', async () => {
    const seen: unknown[] = []
    const anywhere = { kind: 'loss', atMs: 0, forMs: 10, rate: 1 } as const
    await simulate({ seed: 1, faults: [anywhere], horizonMs: 10 }, (s) => {
      s.node('a', (env) => {
        env.onMessage((message, from) => seen.push([message, from, s.elapsedMs()]))
        env.onMessage((message) => seen.push(message))
        env.send('a', 'me')
      })
    })
    expect(seen).toEqual([['me', 'a', 0.01], 'me'])
  })

  test('loses what is sent to a node that is down', async () => {
    const down = { kind: 'crash', node: 'b', atMs: 300, downMs: 300, unsyncedLoss: 1 } as const
    const { arrivals, numbers } = await stream([down])
    expect(during(arrivals, 300, 600)).toBe(0)
    expect(ascending(numbers)).toBe(true)
    expect(numbers.length).toBeLessThan(705)
    expect(numbers.length).toBeGreaterThan(690)
  })
})

describe('a fault of the network', () => {
  test('loss loses about its rate, while it lasts', async () => {
    const { arrivals, report, numbers } = await stream([{ kind: 'loss', ...window, rate: 0.3 }])
    expect(ascending(numbers)).toBe(true)
    expect(during(arrivals, 300, 600)).toBeGreaterThan(170)
    expect(during(arrivals, 300, 600)).toBeLessThan(250)
    expect(during(arrivals, 610, 1010)).toBeGreaterThan(388)
    onlyInjected(report, 'loss')
  })

  test('loss strikes fast and slow messages alike', async () => {
    const latency = ({ arrivals }: { arrivals: readonly Arrival[] }) => {
      const all = arrivals.map(({ message, atMs }) => atMs - Number(message) - 1)
      return all.reduce((sum, each) => sum + each, 0) / all.length
    }
    const struck = await stream([{ kind: 'loss', atMs: 0, forMs: 2000, rate: 0.5, to: 'b' }])
    expect(latency(struck) / latency(await stream([]))).toBeCloseTo(1, 1.5)
  })

  test('loss of one direction leaves the other alone', async () => {
    const there = await stream([{ kind: 'loss', ...window, rate: 1, from: 'a', to: 'b' }])
    expect(during(there.arrivals, 302, 600)).toBe(0)
    const back = await stream([{ kind: 'loss', ...window, rate: 1, from: 'b' }])
    expect(back.arrivals).toHaveLength(1000)
    expect(during(back.back, 303, 600)).toBe(0)
    const other = await stream([{ kind: 'loss', ...window, rate: 1, to: 'a' }])
    expect(other.arrivals).toHaveLength(1000)
    expect(other.back).toHaveLength(back.back.length)
  })

  test('duplication delivers some twice', async () => {
    const fault = { kind: 'duplication', ...window, rate: 0.5, to: 'b' } as const
    const { numbers, report } = await stream([fault])
    expect(new Set(numbers).size).toBe(1000)
    expect(numbers.length - 1000).toBe(report.injected.duplication)
    expect(report.injected.duplication).toBeGreaterThan(110)
    expect(report.injected.duplication).toBeLessThan(190)
    onlyInjected(report, 'duplication')
  })

  test('reordering lets later messages overtake, and loses none', async () => {
    const { numbers, report } = await stream([
      { kind: 'reordering', ...window, rate: 0.3, byMs: 50, to: 'b' },
    ])
    expect(ascending(numbers)).toBe(false)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    for (const [i, n] of numbers.entries()) expect(Math.abs(n - i)).toBeLessThan(60)
    onlyInjected(report, 'reordering')
  })

  test('latency stalls a link, in order, by up to what it says', async () => {
    const { arrivals, numbers, report } = await stream([
      { kind: 'latency', ...window, rate: 0.2, byMs: 100, to: 'b' },
    ])
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    const late = arrivals.map(({ message, atMs }) => atMs - Number(message) - 1)
    expect(Math.max(...late)).toBeGreaterThan(40)
    expect(Math.max(...late)).toBeLessThan(103)
    expect(Math.max(...late.slice(750))).toBeLessThan(2)
    onlyInjected(report, 'latency')
  })

  test('partition cuts both ways, also what is under way, and heals', async () => {
    for (const nodes of [['a'], ['b']]) {
      const { arrivals, back, report } = await stream([{ kind: 'partition', ...window, nodes }])
      expect(during(arrivals, 300, 600)).toBe(0)
      expect(during(back, 300, 600)).toBe(0)
      expect(during(arrivals, 600, 1010)).toBeGreaterThan(398)
      onlyInjected(report, 'partition')
    }
    const together = await stream([{ kind: 'partition', ...window, nodes: ['a', 'b'] }])
    expect(together.back).toHaveLength(1000)
  })

  test('oneWayPartition cuts one direction only', async () => {
    const { arrivals, back, report } = await stream([
      { kind: 'oneWayPartition', ...window, nodes: ['b'] },
    ])
    expect(arrivals).toHaveLength(1000)
    expect(during(back, 300, 600)).toBe(0)
    onlyInjected(report, 'oneWayPartition')
  })

  test('clog holds messages and hands them over in order', async () => {
    const { arrivals, numbers, report } = await stream([{ kind: 'clog', ...window, from: 'a' }])
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(during(arrivals, 300, 599.999)).toBe(0)
    expect(during(arrivals, 599.999, 600)).toBeGreaterThan(290)
    onlyInjected(report, 'clog')
  })

  test('a second clog goes on holding what the first one held', async () => {
    const { arrivals, numbers } = await stream([
      { kind: 'clog', ...window },
      { kind: 'clog', atMs: 400, forMs: 400 },
    ])
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(during(arrivals, 300, 799.999)).toBe(0)
  })

  test('a clog that the heal ends hands everything over then', async () => {
    const fault = { kind: 'clog', atMs: 1, forMs: 1e6 } as const
    let heard = 0
    await simulate({ seed: 1, faults: [fault], horizonMs: 100 }, (s) => {
      s.node('b', (env) => env.onMessage(() => heard++))
      s.node('a', async (env) => {
        for (let i = 0; i < 10; i++) {
          await env.sleep(5)
          env.send('b', i)
        }
      })
      s.afterHeal(() => heard === 10, { withinMs: 10 })
      s.invariant('nothing passes', () => heard === 0 || s.elapsedMs() >= 100)
    })
    expect(heard).toBe(10)
  })

  test('what a clog holds for a node dies with the node', async () => {
    const { numbers } = await stream([
      { kind: 'clog', ...window },
      { kind: 'crash', node: 'b', atMs: 500, downMs: 10, unsyncedLoss: 1 },
    ])
    expect(numbers.filter((n) => n >= 300 && n < 497)).toEqual([])
    expect(numbers).toContain(520)
  })

  test('swizzle stops the links of each node for some of the time', async () => {
    const starts = new Set<number>()
    for (let seed = 0; seed < 10; seed++) {
      const fault = { kind: 'swizzle', ...window, nodes: ['a', 'b'] } as const
      const { arrivals, numbers, report } = await stream([fault], seed)
      expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i))
      expect(during(arrivals, 0, 298)).toBeGreaterThan(290)
      const gap = arrivals.findIndex(({ atMs }, i) => i > 0 && atMs - arrivals[i - 1]!.atMs > 20)
      starts.add(Math.round(arrivals[gap - 1]!.atMs))
      expect(during(arrivals, 600, 1010)).toBeGreaterThan(395)
      onlyInjected(report, 'swizzle')
    }
    expect(starts.size).toBeGreaterThan(5)
  })
})
