// The laws of adaptation, and the twins that they catch.

import { describe, expect, test } from 'vitest'
import { AdaptiveContest } from '../src/adaptive-contest.ts'
import { adaptiveRules } from '../src/adaptive-rule.ts'
import type { FrequencySketch } from '../src/frequency-sketch.ts'
import { AdaptiveCache } from '../src/index.ts'
import {
  ContestedCache,
  checkAdapts,
  checkMiniature,
  checkPairs,
  checkSample,
  Decided,
  type MakeContest,
  wholeMiniature,
} from './adaptive-laws.ts'
import { cacheLaws, seeded } from './cache-laws.ts'

cacheLaws('AdaptiveCache', (options) => new AdaptiveCache(options))

describe.each(adaptiveRules.map(({ name }, rule) => [name, rule] as const))(
  'an adaptive cache that keeps to %s',
  (_, rule) => {
    cacheLaws('AdaptiveCache', (options) => new ContestedCache(options, new Decided(rule)))
  },
)

const make: MakeContest = (sketch) => new AdaptiveContest(sketch)
const adaptive = (max: number) => new AdaptiveCache<number, number>({ max, random: seeded() })

describe('the law', () => {
  test('of miniatures: a whole one hits what the cache hits', () => checkMiniature(wholeMiniature))
  test('of samples: all requests of a key or none', () => checkSample(make))
  test('of pairs: what differs decides', () => checkPairs(make))
  test('of adaptation: what suits the work is found', () => checkAdapts(adaptive))
})

class CountsAll extends AdaptiveContest {
  protected override compare(hits: number): void {
    const rules = adaptiveRules.length
    for (let pair = 0; pair < rules ** 2; pair++) {
      this.wins[pair]! += (hits >>> Math.floor(pair / rules)) & 1
    }
  }
}

class SamplesByPosition extends AdaptiveContest {
  #requests = 0
  override samples(): boolean {
    return this.#requests++ % 8 === 0
  }
}

describe('a law catches', () => {
  test('a cache that never changes its rule', () => {
    const stuck = new Decided(0)
    expect(() => checkAdapts((max) => new ContestedCache({ max }, stuck))).toThrow()
    expect(() => checkPairs(() => new Decided(0))).toThrow()
  })

  test('a contest that counts hits without comparing them request by request', () => {
    expect(() => checkPairs((sketch) => new CountsAll(sketch))).toThrow()
  })

  test('a sample of requests instead of keys', () => {
    expect(() => checkSample((sketch) => new SamplesByPosition(sketch))).toThrow()
  })

  test('a miniature that plays by another rule', () => {
    const other = (rule: number, sketch: FrequencySketch, max: number) =>
      wholeMiniature((rule + 1) % adaptiveRules.length, sketch, max)
    expect(() => checkMiniature(other)).toThrow()
  })
})
