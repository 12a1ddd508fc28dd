import { type Act, CROWD_SEED, CROWD_SIZE, gatherCrowd } from '../crowd.ts'
import { milliseconds, percent, whole } from '../figure.ts'
import { CAPACITY, type Lane, Race, sum } from '../race.ts'
import { RACERS } from '../racer.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** Chapter 7: a crowd is served through a cache, and all policies race beside the optimum. */
export const serve: Chapter = {
  title: 'Serve: a crowd through a cache, and what other policies would have hit',
  tell(world) {
    const { cities, parts, teller, options } = world
    const crowd = gatherCrowd(cities, CROWD_SIZE, CROWD_SEED)
    const started = world.monotonic()
    const race = new Race(cities, crowd, CAPACITY, parts.racers ?? RACERS)
    race.run(CROWD_SIZE)
    const elapsed = world.monotonic() - started
    teller.line(
      `  ${whole(CROWD_SIZE)} requests for cities, by population, through a cache of ` +
        `${whole(CAPACITY)}`,
    )
    printRace(world, race, crowd.acts)
    teller.line(`  ${race.lanes.length} policies and the optimum in ${milliseconds(elapsed)}`)
    checkAnswers(world, race)
    checkCounts(world, race)
    checkRanks(world, race)
    const chosen = race.lanes.find(({ racer }) => racer.id === options.policy)
    if (chosen === undefined) return
    world.summary.push(
      [`requests served from a cache (${chosen.racer.name})`, whole(sum(chosen.hits))],
      ['  the clairvoyant optimum', whole(race.optimum.hits)],
    )
  },
}

function printRace({ teller, options }: World, race: Race, acts: readonly Act[]): void {
  const right = { align: 'right' } as const
  const columns = [
    { head: 'hit ratio' },
    ...acts.map(({ name }) => ({ head: name, ...right })),
    { head: 'all', ...right },
    { head: 'of optimum', ...right },
  ]
  const { isHit, hits } = race.optimum
  const best = acts.map(({ from, until }) => {
    const inAct = isHit.subarray(from, until).reduce((total, hit) => total + hit, 0)
    return percent(inAct / (until - from))
  })
  const rows = race.lanes.map((lane) => {
    const parts = acts.map(({ from, until }) => {
      const inAct = sum(lane.hits, race.lapOf(from), race.lapOf(until))
      return percent(inAct / (until - from))
    })
    const own = sum(lane.hits)
    const name = lane.racer.name + (lane.racer.id === options.policy ? ' *' : '')
    return [name, ...parts, percent(own / race.served), percent(own / hits)]
  })
  rows.push(['clairvoyant', ...best, percent(hits / race.served), percent(1)])
  teller.table(columns, rows)
  teller.aside('  * the cache that serves; --policy chooses another')
  teller.aside('  festival: half ask for towns around one that travels; census: half is a scan')
}

function checkAnswers(world: World, { lanes }: Race): void {
  const wrong = lanes.reduce((total, lane) => total + lane.wrong, 0)
  promise(
    world,
    'every answer served from a cache is the answer of the store',
    wrong === 0,
    `${whole(wrong)} are not`,
  )
  promise(
    world,
    `no cache ever holds more than ${whole(CAPACITY)} cities`,
    lanes.every(({ peak }) => peak <= CAPACITY),
    namesOf(lanes, ({ peak }) => peak > CAPACITY),
  )
}

/** What each cache has counted itself, against what was seen from outside. */
function checkCounts(world: World, { lanes, served }: Race): void {
  const isMiscounted = ({ cache, hits }: Lane): boolean => {
    const stats = cache.stats()
    return stats.hits !== sum(hits) || stats.hits + stats.misses !== served
  }
  promise(
    world,
    'hits and misses are all requests, by the count of each cache as well',
    !lanes.some(isMiscounted),
    namesOf(lanes, isMiscounted),
  )
}

function checkRanks(world: World, { lanes, optimum }: Race): void {
  const isTooGood = ({ hits }: Lane): boolean => sum(hits) > optimum.hits
  promise(
    world,
    'no policy hits more often than the clairvoyant optimum',
    !lanes.some(isTooGood),
    namesOf(lanes, isTooGood),
  )
  const hitsOf = (id: string): number => {
    const lane = lanes.find(({ racer }) => racer.id === id)
    return lane === undefined ? 0 : sum(lane.hits)
  }
  const best = Math.max(hitsOf('tiny-lfu'), hitsOf('adaptive'))
  promise(
    world,
    'a policy that adapts hits at least as often as LRU',
    best >= hitsOf('lru'),
    `${whole(best)} hits, LRU ${whole(hitsOf('lru'))}`,
  )
}

function namesOf(lanes: readonly Lane[], isMeant: (lane: Lane) => boolean): string {
  return lanes
    .filter(isMeant)
    .map(({ racer }) => racer.name)
    .join(', ')
}
