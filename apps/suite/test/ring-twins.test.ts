import type { HashRing, RingNode } from '@ashlar/ring'
import { expect, test } from 'vitest'
import * as laws from '../../../packages/ring/test/hash-ring-laws.ts'
import { type Law, runProperty, testTwins } from '../src/law-twins.ts'
import * as twins from '../src/ring/ring-twins.ts'

type Maker = new (...given: Parameters<laws.Make>) => HashRing

const by =
  (twin: Maker): laws.Make =>
  (nodes: readonly RingNode[], settings) =>
    new twin(nodes, settings)
const judged =
  (law: laws.Law): Law<laws.Make> =>
  (make) =>
    runProperty((parameters) => law(make, parameters))

const ringLaws = {
  totality: judged(laws.total),
  history: judged(laws.historyIndependence),
  'minimal movement': judged(laws.minimalMovement),
  'preference lists': judged(laws.preferenceLists),
  'the naive scan': judged(laws.naiveOracle),
  'bounded load': judged(laws.boundedLoad),
}

test('a ring in a list keeps the laws that its twins break', () => {
  for (const law of ['history', 'the naive scan'] as const) {
    expect(ringLaws[law](by(twins.ListedRing))).toMatchObject({ failed: false })
  }
})

testTwins({
  system: 'hash ring',
  right: laws.makeRing,
  laws: ringLaws,
  twins: [
    { bug: 'moves foreign keys', law: 'minimal movement', twin: by(twins.ModuloRing) },
    { bug: 'breaks ties by arrival', law: 'history', twin: by(twins.TiesByArrival) },
    { bug: 'turns its lists with n', law: 'preference lists', twin: by(twins.TurnedLists) },
    { bug: 'glues names and numbers', law: 'the naive scan', twin: by(twins.GluedNames) },
    { bug: 'fills a node by one too many', law: 'bounded load', twin: by(twins.OneTooMany) },
  ],
})
