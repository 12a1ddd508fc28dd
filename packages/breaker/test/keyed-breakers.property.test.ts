import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  type BreakerOptions,
  type BreakerState,
  CircuitBreaker,
  consecutive,
  KeyedBreakers,
  type KeyedOptions,
  type Permit,
} from '../src/index.ts'

/** What the model knows of a key: a list of these, least recently used first. */
interface Kept {
  readonly key: string
  state: BreakerState
  inFlight: number
  usedMs: number
}

const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e', '', '__proto__', 'constructor', '\ud800', 'ä')
const step = fc.oneof(
  fc.record({ does: fc.constantFrom('get' as const, 'delete' as const), key: keys }),
  fc.record({
    does: fc.constantFrom('open' as const, 'isolate' as const, 'begin' as const),
    key: keys,
  }),
  fc.record({ does: fc.constant('reset' as const), key: keys }),
  fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(1, 24, 25, 60, 100, 500) }),
)

/** Who leaves a full room: by the law, in its own words. */
function victimOf(kept: readonly Kept[]): Kept {
  const closed = kept.filter(({ state }) => state === 'closed')
  const idle = closed.filter(({ inFlight }) => inFlight === 0)
  const notIsolated = kept.filter(({ state }) => state !== 'isolated')
  return idle[0] ?? closed[0] ?? notIsolated[0] ?? kept[0]!
}

/** What the law needs of a room. */
interface Room extends Iterable<[string, CircuitBreaker]> {
  readonly size: number
  get(key: string): CircuitBreaker
  delete(key: string): boolean
}

interface Story {
  readonly max: number
  readonly idleMs: number | undefined
  readonly steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]
}

const stories: fc.Arbitrary<Story> = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  idleMs: fc.option(fc.constant(100), { nil: undefined }),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
})

/** Plays the story in a room and in the model, and compares who is there after every step. */
function play(
  { max, idleMs, steps }: Story,
  make: (options: BreakerOptions, keyed: KeyedOptions) => Room,
): void {
  let nowMs = 0
  const monotonic = () => nowMs
  const breakers = make(
    { trip: consecutive(1), open: { initialMs: 1e9, maxMs: 1e9 }, monotonic },
    { max, monotonic, ...(idleMs && { idleMs }) },
  )
  let kept: Kept[] = []
  let sweepAtMs = 0
  const permits: (Permit | null)[] = []
  const get = (key: string): Kept => {
    if (idleMs !== undefined && nowMs >= sweepAtMs) {
      sweepAtMs = nowMs + idleMs / 4
      kept = kept.filter(({ state, usedMs }) => state !== 'closed' || usedMs > nowMs - idleMs)
    }
    let one = kept.find((other) => other.key === key)
    if (one === undefined) {
      if (kept.length >= max) kept.splice(kept.indexOf(victimOf(kept)), 1)
      one = { key, state: 'closed', inFlight: 0, usedMs: nowMs }
    } else kept.splice(kept.indexOf(one), 1)
    one.usedMs = nowMs
    kept.push(one)
    return one
  }
  for (const { does, ...given } of steps) {
    if ('ms' in given) {
      nowMs += given.ms
      continue
    }
    const { key } = given
    if (does === 'delete') {
      const isThere = kept.some((one) => one.key === key)
      expect(breakers.delete(key)).toBe(isThere)
      kept = kept.filter((one) => one.key !== key)
    } else {
      const one = get(key)
      const breaker = breakers.get(key)
      expect(breaker.name).toBe(key)
      if (does === 'begin' && one.state === 'closed') {
        one.inFlight++
        permits.push(breaker.tryAcquire())
      } else if (does === 'open' && one.state !== 'isolated') {
        one.state = 'open'
        breaker.openFor(1e9)
      } else if (does === 'isolate') {
        one.state = 'isolated'
        breaker.isolate()
      } else if (does === 'reset' && one.state !== 'isolated') {
        one.state = 'closed'
        breaker.reset()
      }
    }
    expect(Array.from(breakers, ([k, { state }]) => [k, state])).toEqual(
      kept.map((one) => [one.key, one.state]),
    )
    expect(breakers.size).toBe(kept.length)
    expect(breakers.size).toBeLessThanOrEqual(max)
  }
}

describe('the eviction law of keyed breakers', () => {
  test.prop([stories], { numRuns: 500 })(
    'idle closed ones go first; an open or isolated one only where no closed one exists',
    (story) => play(story, (options, keyed) => new KeyedBreakers(options, keyed)),
  )

  test('catches a room that forgets the least recently used one, open or not', () => {
    const law = fc.property(stories, (story) => {
      play(story, (options, { max = 1 }) => new ForgetfulRoom(options, max))
    })
    expect(fc.check(law, { numRuns: 1_000, seed: 7 }).failed).toBe(true)
  })

  test('catches a room that forgets calls under way before idle ones', () => {
    const law = fc.property(stories, (story) => {
      play({ ...story, idleMs: undefined }, (options, { max = 1 }) => {
        return new ForgetfulRoom(options, max, ({ state }) => state === 'closed')
      })
    })
    expect(fc.check(law, { numRuns: 1_000, seed: 7 }).failed).toBe(true)
  })
})

/** A plain LRU: the first that may go does, whatever it is doing. */
class ForgetfulRoom extends Map<string, CircuitBreaker> implements Room {
  readonly #options: BreakerOptions
  readonly #max: number
  readonly #mayGo: (breaker: CircuitBreaker) => boolean

  constructor(options: BreakerOptions, max: number, mayGo = (_: CircuitBreaker) => true) {
    super()
    this.#options = options
    this.#max = max
    this.#mayGo = mayGo
  }

  override get(key: string): CircuitBreaker {
    const breaker = super.get(key) ?? new CircuitBreaker({ ...this.#options, name: key })
    if (!this.delete(key) && this.size >= this.#max) {
      const [first] = this
      const leaving = [...this].find(([, other]) => this.#mayGo(other)) ?? first!
      this.delete(leaving[0])
    }
    this.set(key, breaker)
    return breaker
  }
}

describe('keyed breakers', () => {
  test('give each key its own, and the same one again', async () => {
    const created: string[] = []
    const breakers = new KeyedBreakers((key) => ({ name: `db/${key}`, trip: consecutive(1) }), {
      onCreate: (_, key) => created.push(key),
    })
    await breakers.run('oslo', () => Promise.reject(new Error('down'))).catch(() => {})
    expect(breakers.get('oslo').state).toBe('open')
    expect(breakers.get('rome').state).toBe('closed')
    expect(breakers.get('oslo')).toBe(breakers.peek('oslo'))
    expect(breakers.get('rome').name).toBe('db/rome')
    expect(breakers.peek('lima')).toBeUndefined()
    expect(created).toEqual(['oslo', 'rome'])
  })

  test('a breaker that was evicted still serves whoever holds it', async () => {
    const breakers = new KeyedBreakers({ trip: consecutive(1) }, { max: 1 })
    const oslo = breakers.get('oslo')
    breakers.get('rome')
    await expect(oslo.run(() => 'still here')).resolves.toBe('still here')
    expect(breakers.get('oslo')).not.toBe(oslo)
  })

  test('sweep forgets idle closed ones, and says how many', () => {
    let nowMs = 0
    const breakers = new KeyedBreakers({}, { idleMs: 100, monotonic: () => nowMs })
    for (const key of ['a', 'b', 'c']) breakers.get(key)
    breakers.get('b').isolate()
    nowMs = 99
    breakers.get('c')
    nowMs = 100
    expect(breakers.sweep()).toBe(1)
    expect(Array.from(breakers, ([key]) => key)).toEqual(['b', 'c'])
  })
})
