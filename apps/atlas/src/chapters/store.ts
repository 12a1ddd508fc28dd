import type { HotKey, HotReport } from '@ashlar/shard'
import { celebritiesOf } from '../celebrity.ts'
import type { City } from '../city.ts'
import { type CityMove, moveAll } from '../city-moves.ts'
import { type CityRouter, CityShards, HOT_KEYS, SHARDS } from '../city-shards.ts'
import { countryRows } from '../city-tables.ts'
import { milliseconds, people, percent, whole } from '../figure.ts'
import { isFound } from '../shard-crowd.ts'
import { storedAs } from '../stored-cities.ts'
import { acknowledgedVisits, storedVisits } from '../stored-visits.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** Requests before the largest city is pinned, and so many while it is and after. */
const REQUESTS = 2_000

/** Hot keys that are printed. */
const SHOWN = 5

const BY_PEOPLE = [{ column: 'population', direction: 'desc' }, { column: 'id' }] as const
const PEOPLE = { op: 'sum', column: 'population' } as const
const COUNT = { op: 'count' } as const

/** Chapter 9: the cities go onto shards, and a crowd, a move and a pin try to lose some. */
export const store: Chapter = {
  title: 'Store: the cities on four shards, under one router and a late one',
  async tell(world) {
    const { cities, options, parts, signal } = world
    const { engine, postgres } = options
    const shards = await CityShards.open(cities, { engine, postgres, signal, ...parts })
    world.shards = shards
    await load(world, shards)
    await checkPlaces(world, shards)
    await checkScatter(world, shards)
    const pinned = await serve(world, shards)
    await printShards(world, shards)
    await checkVisits(world, shards)
    checkHot(world, shards)
    await checkLate(world, shards, pinned)
    await checkMoves(world, shards)
    await checkCapacity(world, shards)
    world.summary.push(
      ['cities stored on shards', whole(cities.length)],
      ['  requests served there', whole(shards.crowd.served)],
    )
  },
}

async function load({ cities, monotonic, teller }: World, shards: CityShards): Promise<void> {
  const started = monotonic()
  const progress = teller.progress('storing', cities.length)
  try {
    await shards.load((rows) => progress.update(rows, `${whole(rows)} cities`))
  } finally {
    progress.stop()
  }
  const elapsed = monotonic() - started
  const rate = elapsed > 0 ? `: ${whole((1000 * cities.length) / elapsed)} a second` : ''
  teller.line(`  ${whole(cities.length)} cities stored in ${milliseconds(elapsed)}${rate}`)
  teller.aside(`  ${shards.databases.where}`)
}

/** No city twice, none missing, none on another shard than the map says. */
async function checkPlaces(world: World, { main }: CityShards): Promise<void> {
  const ids = { op: 'sum', column: 'id' } as const
  const asked = { table: 'cities', aggregates: { cities: COUNT, ids } }
  const { rows } = await main.scatter(asked)
  const [found] = rows
  const wanted = world.cities.reduce((sum, { id }) => sum + id, 0)
  const report = await main.verify()
  const misplaced = report.misplacedCount + report.leftoverCount
  const isWhole = found!.cities === world.cities.length && found!.ids === wanted
  promise(
    world,
    'every city is on exactly one shard, once, and where the map says',
    isWhole && report.ok && report.rows === world.cities.length,
    `${whole(Number(found!.cities))} were found, ${whole(misplaced)} in a wrong place`,
  )
}

async function checkScatter(world: World, { main }: CityShards): Promise<void> {
  const columns = ['id', 'population']
  const largest = await main.scatter(
    { table: 'cities', columns },
    { orderBy: BY_PEOPLE, limit: 10 },
  )
  const famous = celebritiesOf(world.cities, 10).map(({ city }) => city)
  const isSame = famous.every(({ id, population }, i) => {
    const row = largest.rows[i]
    return row?.id === id && row.population === population
  })
  promise(
    world,
    'the ten largest, sorted over all shards, are those of the list',
    isSame && largest.rows.length === famous.length,
    `got ${largest.rows.map(({ id }) => id).join(', ')}`,
  )
  const aggregates = { people: PEOPLE, cities: COUNT }
  const groups = await main.scatter({ table: 'cities', aggregates, groupBy: ['country'] })
  const counted = new Map(groups.rows.map((row) => [row.country, row]))
  const byCountry = Map.groupBy(world.cities, ({ country }) => country)
  const wrong = [...byCountry].filter(([country, own]) => {
    const row = counted.get(country)
    return row?.cities !== own.length || row.people !== peopleOf(own)
  })
  promise(
    world,
    'people by country, summed over all shards, are those of the list',
    wrong.length === 0 && groups.rows.length === byCountry.size,
    `${whole(wrong.length)} of ${byCountry.size} countries differ`,
  )
}

/** A pin of the largest city, made while the crowd goes on. */
interface Pinned {
  readonly city: City
  readonly from: string
  readonly to: string
  readonly epochs: readonly [before: number, after: number]
  /** What the router went by that did not hear of it. */
  readonly lateEpoch: number
}

async function serve(world: World, shards: CityShards): Promise<Pinned> {
  const { main, late, crowd } = shards
  const started = world.monotonic()
  await crowd.serve(REQUESTS)
  const { city } = celebritiesOf(world.cities, 1)[0]!
  const from = main.route(city.id, 'cities').shard
  const to = SHARDS.find((shard) => shard !== from)!
  const before = main.map.epoch
  const lateEpoch = late.map.epoch
  const outcomes = await Promise.allSettled([
    crowd.serve(REQUESTS),
    main.pin(city.id, to, { table: 'cities' }),
  ])
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  const elapsed = world.monotonic() - started
  const rate = elapsed > 0 ? `: ${whole((1000 * crowd.served) / elapsed)} a second` : ''
  world.teller.line(
    `  ${whole(crowd.served)} requests of 8 clients in ${milliseconds(elapsed)}${rate}`,
  )
  promise(
    world,
    'every answer is the city that was asked for, in its country',
    crowd.wrong === 0,
    `${whole(crowd.wrong)} are not`,
  )
  return { city, from, to, epochs: [before, main.map.epoch], lateEpoch }
}

async function printShards({ teller }: World, shards: CityShards): Promise<void> {
  const { main, crowd } = shards
  const [capacity, inhabitants] = await Promise.all([main.capacity(), shards.peopleByShard()])
  const right = { align: 'right' } as const
  teller.table(
    [
      { head: 'shard' },
      { head: 'cities', ...right },
      { head: 'people', ...right },
      { head: 'requests', ...right },
      { head: 'visits', ...right },
      { head: 'MB', ...right },
    ],
    SHARDS.map((id, i) => {
      const { tables = [], bytes = 0 } = capacity.shards.find(({ shard }) => shard === id) ?? {}
      const rowsOf = (name: string) => tables.find(({ table }) => table === name)?.rows ?? 0
      return [
        id,
        whole(rowsOf('cities')),
        people(inhabitants[i]!),
        percent((crowd.byShard.get(id) ?? 0) / crowd.served),
        whole(rowsOf('visits')),
        (bytes / 1e6).toFixed(1),
      ]
    }),
  )
}

/** Visits as rows and as counts, both against those that were acknowledged, city by city. */
async function checkVisits(world: World, { main, crowd }: CityShards): Promise<void> {
  const { rows, counted, isRight } = await storedVisits(main, crowd)
  promise(
    world,
    `each of the ${whole(acknowledgedVisits(crowd))} acknowledged visits is stored once: ` +
      'none lost, none twice',
    isRight,
    `${whole(rows)} rows, ${whole(counted)} counted`,
  )
}

function checkHot(world: World, { main, crowd }: CityShards): void {
  const report = main.hot({ k: HOT_KEYS })
  const exact = crowd.asked(0)
  printHot(world, report, exact, main)
  const total = [...exact.values()].reduce((sum, count) => sum + count, 0)
  const threshold = total / HOT_KEYS
  const isBounded = ({ key, count, error }: HotKey): boolean => {
    const asked = exact.get(key) ?? 0
    return asked <= count && asked >= count - error
  }
  const listed = new Set(report.keys.map(({ key }) => key))
  const absent = [...exact].filter(([key, count]) => count > threshold && !listed.has(key))
  const unbounded = report.keys.filter((hot) => !isBounded(hot))
  promise(
    world,
    `hot() has each key asked for more than ${threshold.toFixed(1)} times, in its error's bounds`,
    absent.length + unbounded.length === 0 && report.total === total,
    `${absent.length} are absent, ${unbounded.length} out of bounds`,
  )
}

function printHot(
  { teller, cities }: World,
  { keys }: HotReport,
  exact: ReadonlyMap<string, number>,
  router: CityRouter,
): void {
  const shown = keys.slice(0, SHOWN)
  const byKey = new Map(cities.map((city) => [city.key, city]))
  const right = { align: 'right' } as const
  teller.table(
    [
      { head: 'hottest', width: 20 },
      { head: 'shard' },
      { head: 'counted', ...right },
      { head: 'error at most', ...right },
      { head: 'exact', ...right },
    ],
    shown.map(({ key, count, error }) => [
      byKey.get(key)?.name ?? key,
      router.route(key, 'cities').shard,
      whole(count),
      whole(error),
      whole(exact.get(key) ?? 0),
    ]),
  )
}

/** The router that heard of nothing must be refused, and find the city that was moved by itself. */
async function checkLate(world: World, { main, late }: CityShards, pinned: Pinned): Promise<void> {
  const { city, from, to, epochs, lateEpoch } = pinned
  const isThere = await isFound(late, city)
  const { refreshes } = await late.status()
  const route = late.route(city.id, 'cities')
  world.teller.line(
    `  ${city.name} pinned from ${from} to ${to}: epoch ${epochs[0]} to ${epochs[1]}; ` +
      `refused by a fence: ${refreshes}`,
  )
  promise(
    world,
    'a router with an old map is refused by the fence, and finds the row itself',
    isThere &&
      lateEpoch === epochs[0] &&
      epochs[1] > epochs[0] &&
      refreshes > 0 &&
      late.map.epoch === main.map.epoch &&
      route.shard === to,
    `at epoch ${late.map.epoch}, refused ${refreshes} times, ${isThere ? '' : 'not '}found`,
  )
}

async function checkMoves(world: World, shards: CityShards): Promise<void> {
  const { cities } = world
  const moves = await moveAll(cities, shards)
  printMoves(world, moves)
  const found = await storedAs(cities, moves, shards.main)
  promise(
    world,
    'nobody who moves between two shards is lost or doubled: the sum stays',
    found.people === peopleOf(cities) && found.balance === 0,
    `${whole(found.people)} people, ${whole(peopleOf(cities))} before`,
  )
  promise(
    world,
    'a move is whole or not at all, also when its coordinator dies in the middle',
    found.torn.length + found.forgotten.length === 0,
    [...found.torn, ...found.forgotten].map(({ from, to }) => `${from.name}–${to.name}`).join(', '),
  )
  promise(
    world,
    'what was broken off is settled: no transaction is left open on any shard',
    found.open === 0,
    `${whole(found.open)} are open`,
  )
}

function printMoves({ teller }: World, moves: readonly CityMove[]): void {
  teller.table(
    [
      { head: 'people', align: 'right' },
      { head: 'from', width: 14 },
      { head: 'to', width: 14 },
      { head: 'coordinator dies' },
      { head: 'heard' },
      { head: 'recovered' },
    ],
    moves.map(({ people: count, from, to, fate, heard, recovered }) => {
      return [whole(count), from.name, to.name, fate, heard, recovered]
    }),
  )
}

/** What the shards say they hold, against the rows that there are. */
async function checkCapacity(world: World, { main, crowd }: CityShards): Promise<void> {
  const { shards, missing } = await main.capacity()
  const entries = await main.scatter({ table: 'ledger', aggregates: { entries: COUNT } })
  const visits = [...crowd.visits.values()].reduce((sum, count) => sum + count, 0)
  const copies = countryRows(world.cities).length * SHARDS.length
  const rows = world.cities.length + visits + Number(entries.rows[0]!.entries) + copies
  const said = shards.reduce((sum, shard) => sum + shard.rows, 0)
  promise(
    world,
    `capacity() adds up to the ${whole(rows)} rows that are there`,
    said === rows && missing.length === 0 && shards.length === SHARDS.length,
    `it says ${whole(said)}`,
  )
}

function peopleOf(cities: readonly City[]): number {
  return cities.reduce((sum, { population }) => sum + population, 0)
}
