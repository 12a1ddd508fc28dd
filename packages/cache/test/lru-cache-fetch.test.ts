// fetch beside lru-cache: who gets what, and what is cached afterwards, for every flag and every
// end of a fetch; then in random order. See lru-cache-differences.test.ts for what differs.

import { fc, test as law } from '@fast-check/vitest'
import { LRUCache as Theirs } from 'lru-cache'
import { describe, expect, test } from 'vitest'
import { LRUCache as Ours } from '../src/lru-cache/lru-cache.ts'

type Cache = Theirs<string, number> | Ours<string, number>
type Options = Theirs.OptionsMaxLimit<string, number, unknown>
type Make = (options: Options) => Cache

interface Call {
  readonly key: string
  readonly stale: number | undefined
  readonly signal: AbortSignal
  readonly options: { ttl?: number | undefined }
  readonly context: unknown
  resolve(value: number | undefined): void
  reject(error: Error): void
}

const ours: Make = (options) => new Ours(options)
const theirs: Make = (options) => new Theirs(options)

/** Lets everything that waits for a promise go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A cache, a clock, the calls of its fetchMethod, and what its fetches gave. */
class Stage {
  readonly calls: Call[] = []
  readonly given: string[] = []
  readonly cache: Cache
  ms = 1

  constructor(make: Make, options: Partial<Options>) {
    this.cache = make({
      max: 100,
      ttlResolution: 0,
      perf: { now: () => this.ms },
      fetchMethod: (key, stale, { signal, options, context }) =>
        new Promise((resolve, reject) => {
          this.calls.push({ key, stale, signal, options, context, resolve, reject })
        }),
      ...options,
    })
  }

  fetch(key: string, options: Theirs.FetchOptions<string, number, unknown> = {}): void {
    const at = this.given.push('pending') - 1
    this.cache.fetch(key, options).then(
      (value) => {
        this.given[at] = `= ${value}`
      },
      (error) => {
        this.given[at] = `! ${error.message}`
      },
    )
  }

  /** What can be seen now, leaving out what differs while a fetch is under way. */
  async seen(): Promise<unknown> {
    await settle()
    const { cache, calls, given } = this
    const entries = ['a', 'b', 'c'].map((key) => [
      cache.peek(key),
      cache.peek(key, { allowStale: true }),
      cache.has(key),
    ])
    return { given: [...given], entries, calls: calls.map(({ key, stale }) => [key, stale]) }
  }
}

const FLAGS: Partial<Options>[] = [
  {},
  { allowStale: true },
  { noDeleteOnFetchRejection: true },
  { allowStaleOnFetchRejection: true },
  { allowStaleOnFetchAbort: true },
  { ignoreFetchAbort: true },
  { ignoreFetchAbort: true, allowStaleOnFetchAbort: true },
  { allowStaleOnFetchRejection: true, allowStaleOnFetchAbort: true },
  { noUpdateTTL: true },
  { updateAgeOnGet: true, noDeleteOnStaleGet: true },
]

const before = {
  nothing: () => {},
  'a stale value': (stage: Stage) => {
    stage.cache.set('a', 1)
    stage.ms = 100
  },
  'a fresh value': (stage: Stage) => void stage.cache.set('a', 1),
}

const ends: Record<string, (stage: Stage, abort: () => void) => void> = {
  value: ({ calls }) => calls[0]!.resolve(7),
  nothing: ({ calls }) => calls[0]!.resolve(undefined),
  error: ({ calls }) => calls[0]!.reject(new Error('down')),
  abort: (_, abort) => abort(),
  set: ({ cache }) => void cache.set('a', 9),
  delete: ({ cache }) => void cache.delete('a'),
  clear: ({ cache }) => cache.clear(),
}

describe.each(FLAGS)('with %j a fetch over', (flags) => {
  describe.each(Object.entries(before))('%s', (_, prepare) => {
    test.each(Object.entries(ends))(
      'that ends with %s does what it does in lru-cache',
      async (name, end) => {
        const shown = async (make: Make) => {
          const stage = new Stage(make, { ttl: 5, ...flags })
          prepare(stage)
          const controller = new AbortController()
          stage.fetch('a', { forceRefresh: true, signal: controller.signal })
          stage.fetch('a')
          stage.fetch('a', { allowStale: true })
          const first = await stage.seen()
          end(stage, () => controller.abort(new Error('enough')))
          const second = await stage.seen()
          // Deleted and ignored: there it comes back.
          const revives = flags.ignoreFetchAbort && /delete|clear/u.test(name)
          if (!revives) stage.calls[0]!.resolve(8)
          return [first, second, await stage.seen()]
        }
        expect(await shown(ours)).toEqual(await shown(theirs))
      },
    )
  })
})

interface Step {
  readonly do: (typeof STEPS)[number]
  readonly key: string
  readonly n: number
  readonly options: {
    readonly allowStale?: boolean
    readonly forceRefresh?: boolean
    readonly ttl?: number
  }
}

const STEPS = [
  ...(['fetch', 'fetch', 'fetch', 'fetch', 'value', 'value', 'nothing', 'error'] as const),
  ...(['abort', 'set', 'delete', 'get', 'clear', 'wait'] as const),
] as const

const steps = fc.array(
  fc.record({
    do: fc.constantFrom(...STEPS),
    key: fc.constantFrom('a', 'a', 'b'),
    n: fc.nat(7),
    options: fc.record(
      { allowStale: fc.boolean(), forceRefresh: fc.boolean(), ttl: fc.constantFrom(0, 3, 20) },
      { requiredKeys: [] },
    ),
  }),
  { maxLength: 25, size: 'max' },
)

function take(stage: Stage, controllers: AbortController[], step: Step): unknown {
  const { cache, calls } = stage
  const { key, n, options } = step
  const call = calls[n % Math.max(1, calls.length)]
  if (step.do === 'fetch') {
    const controller = new AbortController()
    controllers.push(controller)
    stage.fetch(key, { ...options, signal: controller.signal })
  }
  if (step.do === 'value') call?.resolve(n)
  if (step.do === 'nothing') call?.resolve(undefined)
  if (step.do === 'error') call?.reject(new Error(`error ${n}`))
  if (step.do === 'abort')
    controllers[n % Math.max(1, controllers.length)]?.abort(new Error('enough'))
  if (step.do === 'set') cache.set(key, n, options)
  if (step.do === 'delete') return cache.delete(key)
  if (step.do === 'get') return cache.get(key, options)
  if (step.do === 'clear') cache.clear()
  if (step.do === 'wait') stage.ms += n
  return undefined
}

/** Throws if a cache fetches otherwise than lru-cache. */
async function compare(make: Make, options: Partial<Options>, taken: Step[]): Promise<void> {
  const stages = [new Stage(make, options), new Stage(theirs, options)] as const
  const controllers: [AbortController[], AbortController[]] = [[], []]
  for (const step of taken) {
    const gave = stages.map((stage, i) => take(stage, controllers[i]!, step))
    expect(gave[0]).toEqual(gave[1])
    expect(await stages[0].seen()).toEqual(await stages[1].seen())
  }
}

// Without allowStaleOnFetchAbort: with it lru-cache's fetches do not all end.
const settings = fc.record({
  ttl: fc.constantFrom(0, 5),
  allowStale: fc.boolean(),
  noDeleteOnFetchRejection: fc.boolean(),
  allowStaleOnFetchRejection: fc.boolean(),
  noDeleteOnStaleGet: fc.boolean(),
})

describe('fetches in any order', () => {
  law.prop([settings, steps])('do what they do in lru-cache', (options, taken) =>
    compare(ours, options, taken),
  )

  class FetchesTwice extends Ours<string, number> {
    override async fetch(
      key: string,
      options: Ours.FetchOptions<string, number, unknown> = {},
    ): Promise<number | undefined> {
      return super.fetch(key, { ...options, forceRefresh: true })
    }
  }
  class ForgetsToAbort extends Ours<string, number> {
    override delete(key: string): boolean {
      const had = this.has(key)
      super.set(key, 0, { ttl: 1, start: -1 })
      return had
    }
  }
  const twins: [string, Make][] = [
    ['one that fetches what is fresh', (options) => new FetchesTwice(options)],
    ['one whose delete only ends the time', (options) => new ForgetsToAbort(options)],
    [
      'one that keeps what failed',
      (options) => new Ours({ ...options, noDeleteOnFetchRejection: true }),
    ],
    ['one that gives stale values', (options) => new Ours({ ...options, allowStale: true })],
  ]

  test.each(twins)('are told apart from those of %s', async (_, make) => {
    const broken = fc.asyncProperty(steps, (taken) => compare(make, { ttl: 5 }, taken))
    const run = fc.assert(broken, { seed: 7, numRuns: 200, endOnFailure: true })
    await expect(run).rejects.toThrow()
  })
})

describe('fetch', () => {
  test('calls the method once for all who ask at the same time', async () => {
    const stage = new Stage(ours, {})
    for (const key of ['a', 'b', 'a', 'a']) stage.fetch(key)
    for (const call of stage.calls) call.resolve(call.key === 'a' ? 1 : 2)
    await settle()
    expect(stage.calls.map(({ key }) => key)).toEqual(['a', 'b'])
    expect(stage.given).toEqual(['= 1', '= 2', '= 1', '= 1'])
  })

  test('does not remember a failure', async () => {
    const stage = new Stage(ours, {})
    stage.fetch('a')
    stage.calls[0]!.reject(new Error('down'))
    await settle()
    stage.fetch('a')
    stage.calls[1]!.resolve(1)
    await settle()
    expect(stage.given).toEqual(['! down', '= 1'])
  })

  test('hands over context and the old value, and takes a changed ttl', async () => {
    const stage = new Stage(ours, { ttl: 5 })
    stage.cache.set('a', 1)
    stage.fetch('a', { forceRefresh: true, context: 'here' })
    expect(stage.calls[0]).toMatchObject({ key: 'a', stale: 1, context: 'here' })
    stage.calls[0]!.options.ttl = 70
    stage.calls[0]!.resolve(2)
    await settle()
    expect(stage.cache.getRemainingTTL('a')).toBe(70)
  })

  test('tells the method that it is aborted, and why', async () => {
    const stage = new Stage(ours, {})
    stage.fetch('a')
    stage.cache.set('a', 1)
    expect(stage.calls[0]!.signal.reason.message).toBe('replaced')
    stage.calls[0]!.resolve(2)
    await settle()
    expect(stage.cache.get('a')).toBe(1)
  })

  test('leaves no listener on the signal of its caller', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners++
      add(...given)
    }
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners--
      remove(...given)
    }
    const stage = new Stage(ours, {})
    stage.fetch('a', { signal })
    expect(listeners).toBe(1)
    stage.calls[0]!.resolve(1)
    await settle()
    expect(listeners).toBe(0)
  })

  test('rejects what has no valid size, and the key can be fetched again', async () => {
    const stage = new Stage(ours, { maxSize: 5, sizeCalculation: (size: number) => size })
    stage.fetch('a')
    stage.calls[0]!.resolve(-1)
    await settle()
    expect(stage.given[0]).toMatch('sizeCalculation')
    stage.fetch('a')
    stage.calls[1]!.resolve(3)
    await settle()
    expect(stage.given[1]).toBe('= 3')
  })

  test('a method that throws at once is one that fails', async () => {
    const fetchMethod = () => {
      throw new Error('at once')
    }
    const cache = new Ours<string, number>({ max: 1, fetchMethod })
    await expect(cache.fetch('a')).rejects.toThrow('at once')
  })

  test('without a method is get; forceFetch then rejects', async () => {
    const cache = new Ours<string, number>({ max: 1 })
    cache.set('a', 1)
    expect([await cache.fetch('a'), await cache.forceFetch('a')]).toEqual([1, 1])
    await expect(cache.forceFetch('b')).rejects.toThrow('fetch() returned undefined')
  })
})
