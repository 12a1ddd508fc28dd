import { openBackends } from '../cache-backends.ts'
import type { CacheHost } from '../cache-host.ts'
import type { CacheRound } from '../cache-round.ts'
import type { City } from '../city.ts'
import { CityCaches, FOURTH_SERVER, PROCESSES, serverRing } from '../city-caches.ts'
import { LOAD_MS } from '../city-origin.ts'
import { Closers } from '../closers.ts'
import { drawsOf } from '../crowd.ts'
import { diceOf } from '../dice.ts'
import { milliseconds, percent, whole } from '../figure.ts'
import { type Chapter, promise, type World } from '../world.ts'

/**
 * Requests of a crowd, which is the same again and again: as many for each process, so that each is
 * asked for the same as before. Twice as many find everything stale.
 */
const REQUESTS = 2_100

/** The story's crowd is the same in every run. */
const SEED = 13

/** How far the fourth server's part may be from its part of the ring, in standard deviations. */
const TOLERANCE = 5

/** A round of the crowd, and what it was like for the servers then. */
interface Act {
  readonly name: string
  readonly round: CacheRound
}

/** Chapter 10: cache servers before the shards go stale, die, come back and are joined by one. */
export const keep: Chapter = {
  title: 'Keep: three cache servers before the shards, and one of them dies',
  async tell(world) {
    const { cities, monotonic, options, parts, shards } = world
    if (shards === undefined) throw new Error('the cities are not stored: chapter 9 was not told')
    const closers = new Closers()
    try {
      const { makeBackend, where } = await openBackends(options, closers)
      const caches = await CityCaches.open(shards, { makeBackend, parts })
      closers.add(() => caches.close())
      const draw = drawsOf(cities, diceOf(SEED))
      const crowd = Array.from({ length: REQUESTS }, () => cities[draw()]!)
      const started = monotonic()
      const acts = await play(world, caches, crowd)
      const elapsed = monotonic() - started
      checkAnswers(world, acts)
      const requests = sum(acts, ({ round }) => round.requests)
      world.teller.line(`  ${whole(requests)} requests in ${milliseconds(elapsed)}`)
      world.teller.aside(`  ${where}`)
    } finally {
      await closers.close()
    }
  },
}

async function play(world: World, caches: CityCaches, crowd: readonly City[]): Promise<Act[]> {
  const warm = await fill(world, caches, crowd)
  const stale = await goStale(world, caches, crowd)
  const outage = await loseOne(world, caches, crowd)
  const forgotten = await missChange(world, caches, crowd)
  const joined = await joinFourth(world, caches, crowd)
  const changed = await changeUnderLoad(world, caches, crowd)
  return [warm, stale, ...outage, ...forgotten, joined, ...changed]
}

/** Every process begins with nothing, and so do the servers. */
async function fill(world: World, caches: CityCaches, crowd: readonly City[]): Promise<Act> {
  const round = await caches.serve(crowd)
  world.teller.line(
    `  ${whole(round.requests)} requests of ${PROCESSES} processes for ` +
      `${whole(round.cities.size)} cities: ${whole(round.loads)} loads`,
  )
  promise(
    world,
    'each city is loaded once, however many ask for it, in whichever process',
    round.loads === round.cities.size && round.loaded.size === round.cities.size,
    `${whole(round.loads)} loads of ${whole(round.cities.size)} cities`,
  )
  return { name: 'empty', round }
}

/** Everything goes stale at one moment, and twice the crowd comes at the next. */
async function goStale(world: World, caches: CityCaches, crowd: readonly City[]): Promise<Act> {
  await caches.outlast('all')
  const round = await caches.serve([...crowd, ...crowd], true)
  const { requests, cities, loads, loaded, naiveLoads, waited, mostAtOnce, lost } = round
  world.teller.line(
    `  all of them stale, ${whole(requests)} readers at once: ${whole(loads)} loads; ` +
      `${whole(naiveLoads)} if each loaded`,
  )
  promise(
    world,
    `each of ${whole(requests)} readers who find only stale cities is answered at once`,
    waited + lost === 0,
    `${whole(waited)} waited, ${whole(lost)} were not answered`,
  )
  promise(
    world,
    'each stale city is loaded again once, and never twice at the same time',
    loads === cities.size && loaded.size === cities.size && mostAtOnce === 1,
    `${whole(loads)} loads of ${whole(cities.size)} cities, ${mostAtOnce} at a time`,
  )
  world.summary.push(
    ['readers who found everything stale', whole(requests)],
    ['  loads for them', whole(loads)],
    ['  loads if each had loaded', whole(naiveLoads)],
  )
  return { name: 'all stale', round }
}

/** A server dies and comes back empty, while every process starts anew now and then. */
async function loseOne(world: World, caches: CityCaches, crowd: readonly City[]): Promise<Act[]> {
  const host = caches.ownerOf(crowd[0]!)
  const { id } = host.stone
  const before = await cold(caches, crowd)
  await host.kill()
  const during = await cold(caches, crowd)
  printServers(world, caches, during)
  await caches.comeBack(host)
  const back = await cold(caches, crowd)
  const after = await cold(caches, crowd)
  const acts = [
    { name: 'all three are up', round: before },
    { name: `${id} is dead`, round: during },
    { name: `${id} is back, empty`, round: back },
    { name: 'all three are up', round: after },
  ]
  printActs(world, acts)
  const share = [...during.cities.values()].filter((city) => caches.ownerOf(city) === host)
  const wanted = sum([...during.asked.values()], (asked) => ownedBy(caches, host, asked).length)
  promise(
    world,
    `${id} dies: only its share is loaded, once in each process`,
    before.loads === 0 && isLoaded(during, share) && during.loads === wanted,
    `${whole(during.loads)} loads, ${whole(wanted)} in its share; ${whole(before.loads)} before`,
  )
  promise(
    world,
    `${id} comes back empty: only its share is loaded, once for all processes`,
    isLoaded(back, share) && back.loads === share.length && after.loads === 0,
    `${whole(back.loads)} loads, ${whole(share.length)} in its share; ${whole(after.loads)} after`,
  )
  world.summary.push(
    ['loads since one of three cache servers died', whole(during.loads)],
    ['  since it came back empty', whole(back.loads)],
    ['  hit ratio meanwhile', percent(during.hitRatio)],
  )
  return acts
}

/** A server is cut off while a country changes, and comes back with all that it held before. */
async function missChange(
  world: World,
  caches: CityCaches,
  crowd: readonly City[],
): Promise<Act[]> {
  const host = caches.ownerOf(crowd[0]!)
  const { country } = crowd[0]!
  await host.cutOff()
  const isToldEarly = await caches.renew(country)
  const during = await cold(caches, crowd)
  await caches.comeBack(host)
  const isTold = await caches.invalidate(country)
  const back = await cold(caches, crowd)
  const kept = ownedBy(caches, host, back.cities).filter((city) => city.country !== country)
  promise(
    world,
    `${host.stone.id} comes back as it was: what changed meanwhile is not served`,
    !isToldEarly && isTold && during.old + back.old === 0,
    `${whole(during.old)} old answers before, ${whole(back.old)} after`,
  )
  promise(
    world,
    'all else that it held is served again, without a load',
    kept.every(({ key }) => !back.loaded.has(key)),
    `${whole(kept.filter(({ key }) => back.loaded.has(key)).length)} are loaded`,
  )
  return [
    { name: 'cut off', round: during },
    { name: 'back as it was', round: back },
  ]
}

async function joinFourth(world: World, caches: CityCaches, crowd: readonly City[]): Promise<Act> {
  await cold(caches, crowd)
  const owners = new Map(crowd.map((city) => [city.key, caches.ownerOf(city)]))
  caches.addServer()
  const round = await cold(caches, crowd)
  const all = [...round.cities.values()]
  const moved = all.filter((city) => caches.ownerOf(city) !== owners.get(city.key))
  const { id } = FOURTH_SERVER
  const isStray = moved.some((city) => caches.ownerOf(city).stone.id !== id)
  const part = serverRing(caches.servers).ownership().get(id)!
  const deviation = Math.sqrt(all.length * part * (1 - part))
  const isFair = Math.abs(moved.length - part * all.length) <= TOLERANCE * deviation
  world.teller.line(
    `  ${id} joins: ${whole(moved.length)} of ${whole(all.length)} cities go there ` +
      `(${percent(moved.length / all.length)}), ${whole(round.loads)} loads`,
  )
  promise(
    world,
    'a fourth server takes its share alone, and nothing else is loaded',
    isFair && !isStray && isLoaded(round, moved) && round.loads === moved.length,
    `${whole(moved.length)} moved of ${whole(all.length)}, ${whole(round.loads)} loads`,
  )
  return { name: 'with a fourth', round }
}

/** A country changes while its cities are being loaded again: what began before must not stay. */
async function changeUnderLoad(
  world: World,
  caches: CityCaches,
  crowd: readonly City[],
): Promise<Act[]> {
  const { country } = crowd[0]!
  await caches.outlast('all')
  const round = caches.begin()
  for (const city of crowd) caches.ask(city)
  await caches.pass(LOAD_MS / 2)
  const isTold = await caches.renew(country)
  for (const city of crowd) caches.ask(city)
  await caches.calm()
  const after = await cold(caches, crowd)
  const touched = crowd.filter((city) => city.country === country).length
  promise(
    world,
    'once it is acknowledged that a country changed, nobody serves the old',
    isTold && round.old + after.old === 0,
    `${whole(round.old + after.old)} of ${whole(2 * touched)} answers are old`,
  )
  return [
    { name: 'changing', round },
    { name: 'changed', round: after },
  ]
}

function checkAnswers(world: World, acts: readonly Act[]): void {
  const lost = sum(acts, ({ round }) => round.lost)
  const wrong = sum(acts, ({ round }) => round.wrong)
  promise(
    world,
    'no request is lost, and every answer is the city that was asked for',
    lost + wrong === 0,
    `${whole(lost)} are lost, ${whole(wrong)} wrong`,
  )
}

function printServers({ teller }: World, caches: CityCaches, round: CacheRound): void {
  const hosts = caches.hosts.filter(({ stone }) => caches.servers.includes(stone))
  const total = sum(hosts, ({ counts }) => counts.asked + counts.lost)
  const right = { align: 'right' } as const
  teller.table(
    [
      { head: 'server' },
      { head: 'cities', ...right },
      { head: 'asked', ...right },
      { head: 'hits', ...right },
      { head: 'hit ratio', ...right },
      { head: 'lost', ...right },
    ],
    hosts.map((host) => {
      const { asked, hits, lost } = host.counts
      return [
        host.stone.id + (host.isDead ? ' (dead)' : ''),
        whole(ownedBy(caches, host, round.cities).length),
        percent((asked + lost) / total),
        whole(hits),
        percent(hits / Math.max(1, asked + lost)),
        whole(lost),
      ]
    }),
  )
}

function printActs({ teller }: World, acts: readonly Act[]): void {
  const right = { align: 'right' } as const
  teller.table(
    [
      { head: 'crowd, nothing near' },
      { head: 'hit ratio', ...right },
      { head: 'loads', ...right },
      { head: 'waited', ...right },
      { head: 'mean wait', ...right },
      { head: 'longest', ...right },
    ],
    acts.map(({ name, round }) => [
      name,
      percent(round.hitRatio),
      whole(round.loads),
      whole(round.waited),
      (round.waitedMs / LOAD_MS / round.requests).toFixed(2),
      (round.longestMs / LOAD_MS).toFixed(2),
    ]),
  )
  teller.aside(`  waits are counted in loads; ${whole(REQUESTS)} requests each`)
}

/** Every process starts anew, with nothing near, before the crowd comes. */
async function cold(caches: CityCaches, crowd: readonly City[]): Promise<CacheRound> {
  await caches.restart()
  return caches.serve(crowd)
}

function ownedBy(caches: CityCaches, host: CacheHost, cities: ReadonlyMap<string, City>): City[] {
  return [...cities.values()].filter((city) => caches.ownerOf(city) === host)
}

/** Whether these cities were loaded, and no others. */
function isLoaded({ loaded }: CacheRound, cities: readonly City[]): boolean {
  return loaded.size === cities.length && cities.every(({ key }) => loaded.has(key))
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0)
}
