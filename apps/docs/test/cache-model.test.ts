import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CAPACITIES, CacheModel, LAPS, POLICIES } from '../playgrounds/cache-model.ts'
import { drawRequests } from '../playgrounds/drawn-requests.ts'
import { curveOf } from '../playgrounds/hit-curves.ts'
import { readRequests } from '../playgrounds/recorded-requests.ts'

const file = join(import.meta.dirname, '..', 'playgrounds', 'web-requests.bin')
const bytes = readFileSync(file)
const recorded = readRequests(bytes)
const ALL = POLICIES.map(({ id }) => id).join(',')

const race = (text: string): CacheModel => CacheModel.fromText(text, recorded)
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

describe('the recorded requests', () => {
  test('are 33,000 in at most 60 KB, numbered by first appearance', () => {
    expect(bytes.length).toBeLessThanOrEqual(60_000)
    expect(recorded.sequence).toHaveLength(33_000)
    const firsts = [...new Set(recorded.sequence)]
    expect(firsts).toEqual(Array.from({ length: recorded.keys }, (_, key) => key))
  })
})

describe('the race', () => {
  test.each(['web', 'drawn'])('no policy beats the one that knows the future (%s)', (source) => {
    for (const room of [32, 256, 2048]) {
      const model = race(`source:${source};room:${room};racers:${ALL};lap:${LAPS}`)
      const best = sum(model.optimum)
      expect(model.lanes).toHaveLength(POLICIES.length)
      for (const { hits, laps, cache } of model.lanes) {
        expect(hits).toBe(sum(laps))
        expect(hits).toBeLessThanOrEqual(best)
        expect(cache.size).toBeLessThanOrEqual(room)
      }
    }
  })

  test('lap by lap comes to what one pass comes to', () => {
    const model = race('racers:lru,fifo;lap:0')
    while (!model.isOver) model.step()
    const held: number[] = []
    let hits = 0
    for (const key of recorded.sequence) {
      const at = held.indexOf(key)
      if (at >= 0) hits++
      if (at >= 0) held.splice(at, 1)
      held.push(key)
      if (held.length > 256) held.shift()
    }
    expect(model.lanes.find(({ policy }) => policy.id === 'lru')!.hits).toBe(hits)
    expect(model.served).toBe(model.length)
  })

  test.each([
    'seed:3;source:drawn;room:91;racers:lru,tiny;lap:31',
    'seed:7;source:web;room:4096;racers:fifo;lap:120',
    'seed:7;source:web;room:256;racers:lru,sieve,s3,tiny,adaptive;lap:0',
  ])('is read back from its text: %s', (text) => {
    const model = race(text)
    expect(model.toText()).toBe(text)
    const again = race(model.toText())
    expect(again.lanes.map(({ laps }) => laps)).toEqual(model.lanes.map(({ laps }) => laps))
  })

  test('has come some way when nobody has touched it', () => {
    expect(race('').lap).toBeGreaterThan(0)
    expect(race('room:3;racers:none;source:tape;lap:999').toText()).toBe(race('lap:0').toText())
  })

  test('goes on where it was with other settings', () => {
    const model = race('lap:10')
    model.set({ capacity: CAPACITIES[2]! })
    expect(model.lap).toBe(10)
    const [small] = model.lanes
    model.set({ capacity: CAPACITIES.at(-1)! })
    expect(model.lanes[0]!.hits).toBeGreaterThan(small!.hits)
  })

  test('keeps at least one policy in it', () => {
    const model = race('racers:lru;lap:1')
    model.toggle('lru')
    expect(model.settings.racers).toEqual(['lru'])
    model.toggle('fifo')
    expect(model.settings.racers).toEqual(['lru', 'fifo'])
  })
})

test('requests drawn from a seed are always the same, and others for another seed', () => {
  expect(drawRequests(5)).toEqual(drawRequests(5))
  expect(drawRequests(5).sequence).not.toEqual(drawRequests(6).sequence)
})

test('a curve is the mean of the laps behind it', () => {
  const points = curveOf([0, 10, 20], () => 20)
  expect(points.map(({ ratio }) => ratio)).toEqual([0, 0.25, 0.5])
})
