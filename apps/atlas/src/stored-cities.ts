// What the shards hold of people who moved: the counts of the cities against the entries of the
// ledger, which were written together or not at all.

import type { City } from './city.ts'
import type { CityMove } from './city-moves.ts'
import type { CityRouter } from './city-shards.ts'

/** What a look at all shards found. */
export interface StoredMoves {
  /** People in all cities. */
  readonly people: number
  /** The sum of all entries of the ledger. */
  readonly balance: number
  /** Moves that are there by half, or not as the city's count has it. */
  readonly torn: readonly CityMove[]
  /** Moves that were acknowledged, or recovered as committed, and are not there. */
  readonly forgotten: readonly CityMove[]
  /** Transactions that wait for their outcome. */
  readonly open: number
}

/** Looks at the counts and the ledger of all shards. */
export async function storedAs(
  cities: readonly City[],
  moves: readonly CityMove[],
  router: CityRouter,
): Promise<StoredMoves> {
  const sum = (column: string) => ({ sum: { op: 'sum', column } }) as const
  const all = await router.scatter({ table: 'cities', aggregates: sum('population') })
  const ledger = await router.scatter({ table: 'ledger' })
  const people = await peopleIn(moves, router)
  const entries = new Map(ledger.rows.map((row) => [String(row.id), Number(row.people)]))
  const changes = new Map<unknown, number>()
  for (const { city_id: id, people: change } of ledger.rows) {
    changes.set(id, (changes.get(id) ?? 0) + Number(change))
  }
  const isTrue = ({ id, population }: City): boolean =>
    people.get(id) === population + (changes.get(id) ?? 0)
  const hasSide = (one: CityMove, side: string): boolean => entries.has(`${one.number} ${side}`)
  const torn = moves.filter((one) => {
    return hasSide(one, 'from') !== hasSide(one, 'to') || !isTrue(one.from) || !isTrue(one.to)
  })
  const forgotten = moves.filter((one) => {
    const isDue = one.heard === 'done' || one.recovered === 'committed'
    return isDue && !hasSide(one, 'from')
  })
  const { shards } = await router.status()
  return {
    people: cities.length === 0 ? 0 : Number(all.rows[0]!.sum),
    balance: [...entries.values()].reduce((total, change) => total + change, 0),
    torn,
    forgotten,
    open: shards.reduce((total, { prepared }) => total + prepared, 0),
  }
}

async function peopleIn(
  moves: readonly CityMove[],
  router: CityRouter,
): Promise<Map<unknown, number>> {
  const ids = moves.flatMap(({ from, to }) => [from.id, to.id])
  const where = [{ column: 'id', is: 'in', value: ids }] as const
  const columns = ['id', 'population']
  const { rows } = await router.scatter({ table: 'cities', columns, where })
  return new Map(rows.map(({ id, population }) => [id, Number(population)]))
}
