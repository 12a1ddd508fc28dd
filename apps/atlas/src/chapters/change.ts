import { diffRings, type RingDiff } from '@ashlar/ring'
import {
  ALLOWED_DEVIATIONS,
  type Census,
  countMoves,
  deviations,
  type Moves,
  takeCensus,
} from '../census.ts'
import { percent, whole } from '../figure.ts'
import { movedOutsideRanges } from '../moved-ranges.ts'
import { nextStone, type Stone } from '../stone.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** One change of membership, measured twice: city by city, and exactly. */
interface Change {
  readonly what: string
  readonly stone: Stone
  readonly moves: Moves
  readonly diff: RingDiff
  /** Cities for which the two measurements disagree. */
  readonly unexplained: number
}

/** Chapter 3: a node joins, another leaves, and only the cities that must move do. */
export const change: Chapter = {
  title: 'Change: one node joins, another leaves',
  tell(world) {
    const { ring } = world
    const joining = nextStone((id) => ring.has(id))!
    const leaving = ring.nodes().toSorted((a, b) => a.number - b.number)[0]!
    const roundTrip = tryRoundTrip(world, joining)
    const changes = [
      measure(world, `${joining.id} joins`, joining, () => ring.add(joining)),
      measure(world, `${leaving.id} leaves`, leaving, () => ring.remove(leaving.id)),
    ]
    printChanges(world, changes)
    checkRoundTrip(world, roundTrip)
    for (const one of changes) checkChange(world, one)
    const moved = changes.reduce((sum, { moves }) => sum + moves.moved, 0)
    const optimal = changes.reduce((sum, { diff }) => sum + diff.optimal, 0)
    const collateral = changes.reduce((sum, { moves }) => sum + moves.collateral, 0)
    world.summary.push(
      ['cities moved by the two changes', whole(moved)],
      ['  the optimum', whole(optimal * world.cities.length)],
      ['  collateral', whole(collateral)],
    )
  },
}

/** What was left of a visit: a node that joined, was there, and left again. */
interface RoundTrip {
  readonly stone: Stone
  readonly fingerprints: readonly [before: string, between: string, after: string]
  readonly differing: number
}

function tryRoundTrip({ cities, ring }: World, stone: Stone): RoundTrip {
  const { owners } = takeCensus(cities, ring)
  const visited = ring.clone()
  visited.add(stone)
  const between = visited.fingerprint()
  visited.remove(stone.id)
  const after = takeCensus(cities, visited).owners
  return {
    stone,
    fingerprints: [ring.fingerprint(), between, visited.fingerprint()],
    differing: after.filter((owner, i) => owner !== owners[i]).length,
  }
}

function checkRoundTrip(world: World, { stone, fingerprints, differing }: RoundTrip): void {
  const [before, between, after] = fingerprints
  promise(
    world,
    `${stone.id} joining and leaving again restores the ring and every owner`,
    after === before && between !== before && differing === 0,
    `fingerprints ${fingerprints.join(', ')}; ${whole(differing)} owners differ`,
  )
}

function measure(world: World, what: string, stone: Stone, apply: () => void): Change {
  const { cities, ring } = world
  const ringBefore = ring.clone()
  const before: Census = takeCensus(cities, ring)
  apply()
  const after = takeCensus(cities, ring)
  const diff = diffRings(ringBefore, ring)
  return {
    what,
    stone,
    moves: countMoves(before, after, stone),
    diff,
    unexplained: movedOutsideRanges(
      cities.map((city) => ring.keyHash(city.key)),
      (i) => before.owners[i] !== after.owners[i],
      diff.moves,
    ),
  }
}

function printChanges({ cities, teller }: World, changes: readonly Change[]): void {
  teller.table(
    [
      { head: 'change' },
      { head: 'moved', align: 'right' },
      { head: 'of all', align: 'right' },
      { head: 'exact', align: 'right' },
      { head: 'optimum', align: 'right' },
      { head: 'ranges', align: 'right' },
      { head: 'collateral', align: 'right' },
    ],
    changes.map(({ what, moves, diff }) => [
      what,
      whole(moves.moved),
      percent(moves.moved / cities.length),
      percent(diff.fraction),
      percent(diff.optimal),
      whole(diff.moves.length),
      whole(moves.collateral),
    ]),
  )
}

function checkChange(world: World, { what, stone, moves, diff, unexplained }: Change): void {
  const { cities } = world
  promise(
    world,
    `${what}: cities move only to or from ${stone.id}`,
    moves.collateral === 0 && diff.collateral === 0,
    `${whole(moves.collateral)} of ${whole(moves.moved)} moved between other nodes`,
  )
  promise(
    world,
    `${what}: exactly the cities in the ranges of diffRings move`,
    unexplained === 0,
    `${whole(unexplained)} cities moved outside of them or stayed inside`,
  )
  const off = deviations(moves.moved, cities.length, diff.optimal)
  promise(
    world,
    `${what}: as many move as the optimum, within ${ALLOWED_DEVIATIONS} standard deviations`,
    off <= ALLOWED_DEVIATIONS && Math.abs(diff.fraction - diff.optimal) < 1e-9,
    `off by ${off.toFixed(1)}; exactly ${diff.fraction}, optimum ${diff.optimal}`,
  )
}
