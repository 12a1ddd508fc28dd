// The visits that the shards hold, as rows and as counts, against those that were acknowledged.

import type { CityRouter } from './city-shards.ts'
import type { ShardCrowd } from './shard-crowd.ts'

/** What is stored of the visits. */
export interface StoredVisits {
  readonly rows: number
  readonly counted: number
  /** Whether both are what was acknowledged, city by city. */
  readonly isRight: boolean
}

/** How many visits were acknowledged. */
export function acknowledgedVisits({ visits }: Pick<ShardCrowd, 'visits'>): number {
  return [...visits.values()].reduce((sum, count) => sum + count, 0)
}

/** Asks all shards. */
export async function storedVisits(
  router: CityRouter,
  { visits }: Pick<ShardCrowd, 'visits'>,
): Promise<StoredVisits> {
  const aggregates = { visits: { op: 'count' } } as const
  const left = await router.scatter({ table: 'visits', aggregates, groupBy: ['city_id'] })
  const visited = [{ column: 'visits', is: '>', value: 0 }] as const
  const columns = ['id', 'visits']
  const counted = await router.scatter({ table: 'cities', columns, where: visited })
  const asRows = new Map(left.rows.map((row) => [row.city_id, row.visits]))
  const asCounts = new Map(counted.rows.map((row) => [row.id, row.visits]))
  const isRight = (found: ReadonlyMap<unknown, unknown>): boolean => {
    const isSame = [...visits].every(([id, count]) => found.get(id) === count)
    return isSame && found.size === visits.size
  }
  return {
    rows: sumOf(asRows),
    counted: sumOf(asCounts),
    isRight: isRight(asRows) && isRight(asCounts),
  }
}

function sumOf(counts: ReadonlyMap<unknown, unknown>): number {
  return [...counts.values()].reduce((sum: number, count) => sum + Number(count), 0)
}
