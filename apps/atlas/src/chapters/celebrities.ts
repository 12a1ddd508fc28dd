import { type Celebrity, celebritiesOf, inZone, residenceOf } from '../celebrity.ts'
import { takeCensus } from '../census.ts'
import { whole } from '../figure.ts'
import { ZONES } from '../stone.ts'
import { type Chapter, promise, type World } from '../world.ts'

const COUNT = 10

/** Chapter 4: who owns the largest cities, their replicas in all zones, and who inherits them. */
export const celebrities: Chapter = {
  title: 'Celebrities: the largest cities, their replicas and their heirs',
  tell(world) {
    const famous = celebritiesOf(world.cities, COUNT)
    printResidences(world, famous)
    world.teller.aside('  * the owner; heir: who owns the city once its owner has left')
    checkReplicas(world, famous)
    checkSpread(world)
    checkHeirs(world)
  },
}

function printResidences({ ring, teller }: World, famous: readonly Celebrity[]): void {
  const rows = famous.map(({ city }) => {
    const { owner, replicas, heir } = residenceOf(city.key, ring)
    const stones = ZONES.map((zone) => {
      const stone = inZone(replicas, zone)
      return stone === undefined ? '–' : stone.id + (stone.id === owner?.id ? ' *' : '')
    })
    return [city.name, city.country, whole(city.population), ...stones, heir?.id ?? '–']
  })
  teller.table(
    [
      { head: 'city', width: 13 },
      { head: '' },
      { head: 'people', align: 'right' },
      ...ZONES.map((zone) => ({ head: zone })),
      { head: 'heir' },
    ],
    rows,
  )
}

function checkReplicas(world: World, famous: readonly Celebrity[]): void {
  const { ring } = world
  const misplaced = famous.filter(({ city }) => {
    const { owner, replicas } = residenceOf(city.key, ring)
    const zones = new Set(replicas.map((stone) => stone.zone)).size
    return replicas[0]?.id !== owner?.id || zones !== ZONES.length
  })
  promise(
    world,
    'every celebrity has its owner first and a replica in each zone',
    misplaced.length === 0,
    misplaced.map(({ city }) => city.name).join(', '),
  )
}

/** The promise of three zones, for every city instead of ten. */
function checkSpread(world: World): void {
  const { cities, ring } = world
  let narrow = 0
  for (const city of cities) {
    const replicas = ring.getN(city.key, ZONES.length, { zones: 'spread' })
    if (new Set(replicas.map((stone) => stone.zone)).size !== ZONES.length) narrow++
  }
  promise(
    world,
    `so has every city: ${ZONES.length} replicas in ${ZONES.length} zones`,
    narrow === 0,
    `${whole(narrow)} cities are in fewer zones`,
  )
  world.summary.push(['cities with a replica in each zone', whole(cities.length - narrow)])
}

/** Lets every node leave in turn; each city it owned must go to the second of its list. */
function checkHeirs(world: World): void {
  const { cities, ring } = world
  const { owners } = takeCensus(cities, ring)
  let orphans = 0
  let promoted = 0
  for (const leaving of ring.nodes()) {
    const rest = ring.clone()
    rest.remove(leaving.id)
    for (const [i, owner] of owners.entries()) {
      if (owner !== leaving.number) continue
      const { key } = cities[i]!
      if (rest.get(key)?.id === ring.getN(key, 2)[1]?.id) promoted++
      else orphans++
    }
  }
  promise(
    world,
    'whichever owner leaves, the second of the preference list is promoted',
    orphans === 0 && promoted === cities.length,
    `${whole(orphans)} of ${whole(cities.length)} cities went elsewhere`,
  )
  world.summary.push(['cities whose heir was promoted', whole(promoted)])
}
