import { ALLOWED_DEVIATIONS, type Census, deviations, maxOverMean, takeCensus } from '../census.ts'
import { milliseconds, people, percent, whole } from '../figure.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** Chapter 2: every city finds its node, and the shares are held against the arcs of the ring. */
export const place: Chapter = {
  title: 'Place: every city on one node of the ring',
  tell(world) {
    const { cities, ring, teller } = world
    const started = world.monotonic()
    const census = takeCensus(cities, ring)
    const elapsed = world.monotonic() - started

    printShares(world, census)
    const unevenness = maxOverMean(census, ring.nodes())
    teller.line(
      `  ${ring.size} nodes x ${world.options.virtualNodes} virtual nodes, ` +
        `max/mean ${unevenness.toFixed(3)}, fingerprint ${ring.fingerprint()}`,
    )
    teller.line(
      `  ${whole(cities.length)} lookups in ${milliseconds(elapsed)}: ` +
        `${whole((elapsed * 1e6) / cities.length)} ns each, first calls included`,
    )
    checkTotals(world, census)
    checkShares(world, census)
    world.summary.push(['max/mean over the nodes', unevenness.toFixed(3)])
  },
}

function printShares({ cities, ring, teller }: World, census: Census): void {
  const ownership = ring.ownership()
  const rows = ring
    .nodes()
    .toSorted((a, b) => a.number - b.number)
    .map(({ id, zone, number }) => [
      id,
      zone,
      whole(census.cities[number]!),
      percent(census.cities[number]! / cities.length),
      percent(ownership.get(id) ?? 0),
      people(census.population[number]!),
    ])
  teller.table(
    [
      { head: 'node' },
      { head: 'zone' },
      { head: 'cities', align: 'right' },
      { head: 'share', align: 'right' },
      { head: 'ownership', align: 'right' },
      { head: 'people', align: 'right' },
    ],
    rows,
  )
}

function checkTotals(world: World, census: Census): void {
  const placed = census.cities.reduce((a, b) => a + b, 0)
  promise(
    world,
    'every city is placed on exactly one node',
    placed === world.cities.length,
    `${whole(placed)} of ${whole(world.cities.length)} cities have an owner among the nodes`,
  )
  const again = takeCensus(world.cities, world.ring.clone())
  const differing = again.owners.filter((owner, i) => owner !== census.owners[i]).length
  promise(
    world,
    'a copy of the ring gives every city the same node',
    differing === 0,
    `${whole(differing)} cities differ`,
  )
}

function checkShares(world: World, census: Census): void {
  const { cities, ring } = world
  const ownership = ring.ownership()
  const total = [...ownership.values()].reduce((a, b) => a + b, 0)
  promise(
    world,
    'the arcs of the nodes cover the ring once',
    Math.abs(total - 1) < 1e-9,
    `they sum to ${total}`,
  )
  const strays = ring.nodes().map(({ id, number }) => ({
    id,
    by: deviations(census.cities[number]!, cities.length, ownership.get(id) ?? 0),
  }))
  const worst = strays.reduce((a, b) => (b.by > a.by ? b : a))
  promise(
    world,
    `shares follow ownership within ${ALLOWED_DEVIATIONS} standard deviations`,
    worst.by <= ALLOWED_DEVIATIONS,
    `${worst.id} is off by ${worst.by.toFixed(1)}`,
  )
}
