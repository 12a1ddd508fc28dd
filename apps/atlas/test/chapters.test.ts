import { beforeAll, describe, expect, test } from 'vitest'
import { identify } from '../src/chapters/identify.ts'
import { version } from '../src/chapters/version.ts'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import { newWorld } from '../src/story.ts'
import { Teller } from '../src/teller.ts'
import type { Chapter, Parts } from '../src/world.ts'
import {
  deafClocks,
  deafVectors,
  earlyIds,
  foreignIds,
  generousLeases,
  hoarding,
  lastWriteWins,
  naiveIds,
  reversedTexts,
} from './broken-parts.ts'
import { MemoryStage } from './stage.ts'

const START = Date.UTC(2026, 10, 21, 12)

let cities: City[]

beforeAll(async () => {
  cities = await readCities(() => {})
})

/** Tells one chapter alone; resolves to the promises that it broke, and to what it printed. */
async function tell(
  chapter: Chapter,
  { parts = {}, count = 40_000 }: { parts?: Parts; count?: number } = {},
): Promise<{ broken: string[]; text: string }> {
  const stage = new MemoryStage()
  const options = { nodes: 6, virtualNodes: 8, seed: 0 }
  const clocks = { monotonic: () => 0, now: () => START }
  const world = newWorld(options, new Teller(stage), { ...clocks, parts })
  world.cities = cities.slice(0, count)
  await chapter.tell(world)
  return { broken: world.promises.broken.map(({ name }) => name), text: stage.text }
}

describe.each([
  ['identify', identify],
  ['version', version],
])('the chapter %s', (_, chapter) => {
  test.each([1, 2, 3, 1_000, 40_000])('keeps its promises with %i cities', async (count) => {
    expect((await tell(chapter, { count })).broken).toEqual([])
  })

  test('tells the same whenever it begins at the same moment', async () => {
    expect(await tell(chapter)).toEqual(await tell(chapter))
  })
})

describe('a chapter with a broken part', () => {
  test.each([
    [
      'ids of clock and counter alone',
      identify,
      naiveIds,
      [
        'every city has an id, and no two share one',
        'the ids of each pod strictly increase, also when its clock goes back',
      ],
    ],
    [
      'texts from behind',
      identify,
      reversedTexts,
      ['as text in base 32 they sort as they do as numbers, which is by time'],
    ],
    [
      'ids of another worker',
      identify,
      foreignIds,
      ['every id can be read back: its worker, and a time its clock has shown'],
    ],
    [
      'ids of a clock an hour ahead',
      identify,
      earlyIds,
      ['no pod uses a tick that it has not leased'],
    ],
    [
      'leases from the first tick on',
      identify,
      generousLeases,
      ['2 worker ids went from pod to pod, and no tick with them'],
    ],
    [
      'vectors that learn nothing',
      version,
      deafVectors,
      ['vectors tell cause from coincidence in all 66 pairs, 23 of them concurrent'],
    ],
    [
      'hybrid clocks that learn nothing',
      version,
      deafClocks,
      ['hybrid time puts every cause before its effects, though clocks are wrong'],
    ],
    [
      'files where the last write wins',
      version,
      lastWriteWins,
      [
        'a city has two values where two edited it at once, and one elsewhere',
        'no edit is lost: every office shows what each of them wrote',
        'a resolution is later than both siblings, dominates them, and is alone',
      ],
    ],
    [
      'files that forget nothing',
      version,
      hoarding,
      ['edits that come again, late, bring nothing back'],
    ],
  ])('such as %s names the promise', async (_, chapter, parts, promises) => {
    expect((await tell(chapter, { parts })).broken).toEqual(expect.arrayContaining(promises))
  })
})
