// The cache beside its model: after every operation the same reads are answered alike, the same
// loads have begun and are over, and the same is known of every key.

import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type Fate, LoadingModel, type ModelOptions } from './loading-model.ts'
import { type HeldLoad, Rig, settle } from './loading-rig.ts'

const KEYS = ['a', 'p:', 'p:x', 'p:q:__proto__']
const TAGS = ['t', 'constructor']

const key = fc.constantFrom(...KEYS)
const tags = fc.subarray(TAGS)
const value = fc.option(fc.constantFrom('v1', 'v2', 'v3'), { freq: 4 })
const number = fc.nat(11)
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('bring' as const), number, value, tags }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), key, value, tags }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('tag' as const), tag: fc.constantFrom(...TAGS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('prefix' as const),
      prefix: fc.constantFrom('p:', 'p:q:'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(12) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

const options: fc.Arbitrary<ModelOptions> = fc.record({
  ttlMs: fc.integer({ min: 1, max: 12 }),
  staleMs: fc.nat(9),
  staleIfErrorMs: fc.nat(14),
  negativeTtlMs: fc.constantFrom(0, 0, 3, 9),
  loadTimeoutMs: fc.constantFrom(6, 30, 1000),
})

/** A cache and its model, told the same. */
class Pair {
  readonly rig: Rig<string | null>
  readonly model: LoadingModel
  readonly #fates: Fate[] = []
  readonly #controllers: AbortController[] = []

  constructor(given: ModelOptions) {
    this.rig = new Rig<string | null>(given)
    this.model = new LoadingModel(given)
  }

  async do(one: Operation): Promise<void> {
    const { rig, model } = this
    const { cache } = rig
    if (one.do === 'get') {
      this.#get(one.key)
      model.get(one.key)
    } else if (one.do === 'bring') {
      const load: HeldLoad<string | null> | undefined = rig.loads[one.number]
      load?.context.keep({ tags: one.tags })
      void load?.bring(one.value)
      model.bring(one.number, one.value, one.tags)
    } else if (one.do === 'fail') {
      void rig.loads[one.number]?.fail(new Error('down'))
      model.fail(one.number, 'down')
    } else if (one.do === 'leave') {
      this.#controllers[one.number]?.abort(new Error('left'))
      model.leave(one.number)
    } else if (one.do === 'set') {
      cache.set(one.key, one.value, { tags: one.tags })
      model.set(one.key, one.value, one.tags)
    } else if (one.do === 'tag') {
      cache.invalidateTag(one.tag)
      model.invalidateTag(one.tag)
    } else if (one.do === 'prefix') {
      cache.invalidatePrefix(one.prefix)
      model.invalidatePrefix(one.prefix)
    } else if (one.do === 'clear') {
      cache.clear()
      model.clear()
    } else if (one.do === 'pass') {
      rig.time.pass(one.ms)
      model.pass(one.ms)
    } else {
      cache[one.do](one.key)
      model[one.do](one.key)
    }
    await settle()
  }

  /** What both say of everything. */
  states(): readonly [unknown, unknown] {
    const { rig, model } = this
    const known = KEYS.map((one) => {
      const entry = rig.cache.entry(one)
      if (entry === undefined) return undefined
      const { value: held, freshUntilMs: fresh, staleUntilMs: stale } = entry
      const failure = entry.failure && {
        error: nameOf(entry.failure.error),
        until: entry.failure.untilMs,
      }
      const times = { fresh, stale, error: entry.errorUntilMs }
      return { value: held, ...times, tags: entry.tags, ...(failure && { failure }) }
    })
    const loads = rig.loads.map((load) => load.key)
    const told = model.loads.map((load) => load.key)
    return [
      { fates: this.#fates, known, loads, running: this.#running() },
      {
        fates: model.fates,
        known: KEYS.map((one) => model.entry(one)),
        loads: told,
        running: model.loads.map((load) => !load.isOver),
      },
    ]
  }

  #running(): boolean[] {
    const { rig, model } = this
    // A load that has answered is over without being aborted.
    return rig.loads.map(({ context }, i) => {
      return context.signal.aborted ? false : model.loads[i]?.isOver === false
    })
  }

  #get(one: string): void {
    const controller = new AbortController()
    this.#controllers.push(controller)
    const i = this.#fates.push('waiting') - 1
    this.rig.cache.get(one, { signal: controller.signal }).then(
      (held) => {
        this.#fates[i] = { value: held }
      },
      (error: unknown) => {
        this.#fates[i] = { error: nameOf(error) }
      },
    )
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && error.code === 'ERR_CACHE_LOAD_TIMEOUT' ? 'timeout' : error.message
}

test.prop([options, fc.array(operation, { maxLength: 40, size: 'max' })], { numRuns: 500 })(
  'a LoadingCache does what its model does',
  async (given, operations) => {
    const pair = new Pair(given)
    for (const one of operations) {
      await pair.do(one)
      const [actual, expected] = pair.states()
      expect(actual).toEqual(expected)
    }
  },
)
