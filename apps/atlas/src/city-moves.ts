// People who move from one city to another, where the two are on different shards: both counts and
// both entries of the ledger are one transaction. Some of the coordinators break off in the middle
// of it; what becomes of theirs is for another router to find out.

import { setImmediate } from 'node:timers/promises'
import { ShardError } from '@ashlar/shard'
import { celebritiesOf } from './celebrity.ts'
import type { City } from './city.ts'
import type { CityRouter, CityShards } from './city-shards.ts'

/** Where a coordinator may break off, and what that means. */
const BREAKS = [
  { label: 'transaction.decide-unsent', fate: 'before it decides' },
  { label: 'transaction.decide-unheard', fate: 'as it decides' },
  { label: 'transaction.leave-to-recovery', fate: 'after it decided' },
] as const

/** Moves whose coordinator does not die, before and after those whose does. */
const SOUND = 3

const MOST_PEOPLE = 1_000

/** People on their way. */
export interface CityMove {
  readonly number: number
  readonly from: City
  readonly to: City
  readonly people: number
  /** When its coordinator dies, in words. */
  readonly fate: string
  /** What the caller heard. */
  readonly heard: 'done' | 'in doubt'
  /** What the other router did about it. */
  readonly recovered: 'nothing to do' | 'committed' | 'rolled back'
}

/** Lets people move between large cities, and recovers what was broken off. */
export async function moveAll(cities: readonly City[], shards: CityShards): Promise<CityMove[]> {
  const moves: CityMove[] = []
  const pairs = pairsOf(cities, shards.main).slice(0, SOUND + BREAKS.length)
  for (const [number, [from, to]] of pairs.entries()) {
    await setImmediate()
    shards.signal.throwIfAborted()
    const broken = number % 2 === 1 ? BREAKS[(number - 1) / 2] : undefined
    const { main } = shards
    const router = broken === undefined ? main : await shards.breakingRouter(broken.label)
    const people = Math.min(MOST_PEOPLE, from.population)
    const heard = await move(router, { number, from, to, people })
    const { committed, rolledBack } = await main.recover({ inDoubtMs: 0 })
    const settled = rolledBack.length > 0 ? 'rolled back' : 'nothing to do'
    const recovered = committed.length > 0 ? 'committed' : settled
    const fate = broken?.fate ?? '–'
    moves.push({ number, from, to, people, fate, heard, recovered })
  }
  return moves
}

/** Pairs of the largest cities that are on different shards. */
function pairsOf(cities: readonly City[], router: CityRouter): [City, City][] {
  const left = celebritiesOf(cities, 24).map(({ city }) => city)
  const shardOf = ({ id }: City): string => router.route(id, 'cities').shard
  const pairs: [City, City][] = []
  for (let from = left.shift(); from !== undefined; from = left.shift()) {
    const home = shardOf(from)
    const place = left.findIndex((city) => shardOf(city) !== home)
    if (place >= 0) pairs.push([from, left.splice(place, 1)[0]!])
  }
  return pairs
}

async function move(
  router: CityRouter,
  { number, from, to, people }: Pick<CityMove, 'number' | 'from' | 'to' | 'people'>,
): Promise<CityMove['heard']> {
  const keys = [from, to].map(({ id }) => ({ key: id, table: 'cities' }))
  const sides = [
    { city: from, side: 'from', change: -people },
    { city: to, side: 'to', change: people },
  ]
  try {
    await router.transaction(keys, async (t) => {
      for (const { city, side, change } of sides) {
        const tx = t.on(city.id, 'cities')
        await tx.query('update cities set population = population + $1 where id = $2', [
          change,
          city.id,
        ])
        await tx.put('ledger', { id: `${number} ${side}`, city_id: city.id, people: change })
      }
    })
    return 'done'
  } catch (error) {
    if (error instanceof ShardError && error.code === 'IN_DOUBT') return 'in doubt'
    throw error
  }
}
