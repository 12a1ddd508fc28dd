// Routers and engines with a flaw each, over real shards; the promise that it breaks must be named.

import {
  type Engine,
  InDoubtTransaction,
  type OpenTransaction,
  type QueryResult,
  type Row,
  ShardRouter,
  type SlotMover,
  type SqlTx,
} from '@ashlar/shard'
import type { CityRouter } from '../src/city-shards.ts'
import type { Parts } from '../src/world.ts'
import { flawed } from './flawed.ts'

type RouterOptions = Parameters<typeof ShardRouter.open<SqlTx>>[0]
type Flaws = (router: CityRouter, options: RouterOptions) => Partial<CityRouter>

/** Every router has these flaws. */
function routers(flaws: Flaws): Parts {
  return {
    makeCityRouter: async (options) => {
      const router = await ShardRouter.open(options)
      return flawed<CityRouter>(router, flaws(router, options))
    },
  }
}

/** Every router goes through an engine with these flaws. */
function engines(flaws: (engine: Engine<SqlTx>) => Partial<Engine<SqlTx>>): Parts {
  return {
    makeCityRouter: (options) => {
      const { engine } = options
      return ShardRouter.open({ ...options, engine: flawed(engine, flaws(engine)) })
    },
  }
}

/** Leaves out the first row that it loads. */
export const leavingOut: Parts = routers((router) => ({
  load: async (table, rows, options) => {
    const all = await Array.fromAsync(rows)
    return router.load(table, all.slice(1), options)
  },
}))

/** Writes what belongs to the last slot of the first batch under the first slot of it. */
export const muddled: Parts = engines((engine) => {
  let batches = 0
  return {
    open: async (shard, claim, options) => {
      const open = await engine.open(shard, claim, options)
      const { slots } = claim
      if (slots.length < 100 || batches++ > 0) return open
      const tx = (slot: number): SqlTx => open.tx(slot === slots.at(-1) ? slots[0]! : slot)
      return flawed<OpenTransaction<SqlTx>>(open, { tx })
    },
  }
})

/** Sorts by the key, whatever it is asked for. */
export const unsorted: Parts = routers((router) => ({
  scatter: (query, options = {}) => {
    const { orderBy } = options
    return router.scatter(query, { ...options, orderBy: orderBy && [{ column: 'id' }] })
  },
}))

/** Leaves out a group. */
export const incomplete: Parts = routers((router) => ({
  scatter: async (query, options) => {
    const { rows, missing } = await router.scatter(query, options)
    return { rows: query.groupBy?.includes('country') ? rows.slice(1) : rows, missing }
  },
}))

/** Now and then gives the answer before once more. */
export const absent: Parts = routers((router) => {
  let last: QueryResult | undefined
  let asked = 0
  return {
    query: async (...request) => {
      const answer = await router.query(...request)
      const given = asked++ % 100 === 99 ? last : answer
      last = answer
      return given ?? answer
    },
  }
})

/** Acknowledges a visit in a hundred without writing it. */
export const hasty: Parts = routers((router) => {
  let visits = 0
  return {
    withShard: (key, fn, options) => {
      const isSkipped = visits++ % 100 === 99
      const lost = (tx: SqlTx) => flawed<SqlTx>(tx, { query: async () => NOTHING })
      return router.withShard(key, (tx) => fn(isSkipped ? lost(tx) : tx), options)
    },
  }
})

const NOTHING: QueryResult = { rows: [], rowCount: 0 }

/** Counts a visit in a hundred twice, as who tries again without need. */
export const anxious: Parts = routers((router) => {
  let visits = 0
  return {
    withShard: async (key, fn, options) => {
      const result = await router.withShard(key, fn, options)
      if (visits++ % 100 < 99) return result
      const again = (tx: SqlTx) =>
        flawed<SqlTx>(tx, {
          query: async (text, params) =>
            text.startsWith('update') ? tx.query(text, params) : NOTHING,
        })
      return router.withShard(key, (tx) => fn(again(tx)), options)
    },
  }
})

/** Forgets the hottest key. */
export const oblivious: Parts = routers((router) => ({
  hot: (options) => {
    const { total, keys, slots } = router.hot(options)
    return { total, keys: keys.slice(1), slots }
  },
}))

/** Is sure of every count. */
export const cocksure: Parts = routers((router) => ({
  hot: (options) => {
    const { total, keys, slots } = router.hot(options)
    return { total, keys: keys.map((key) => ({ ...key, error: 0 })), slots }
  },
}))

/** Says that it knows every map there will be, so no fence stops it. */
export const unfenced: Parts = engines((engine) => ({
  open: (shard, claim, options) => engine.open(shard, { ...claim, epoch: 1_000_000 }, options),
}))

/** Ends one key of a transaction after the other; one that breaks off leaves half of it. */
export const torn: Parts = routers((router, { buggify }) => ({
  transaction: async (_keys, fn) => {
    const written: (readonly [key: number, text: string, params: readonly unknown[]])[] = []
    const rows: (readonly [key: number, table: string, row: Row])[] = []
    const result = await fn({
      on: (key) => {
        const query: SqlTx['query'] = async (text, params = []) => {
          written.push([key as number, text, params])
          return NOTHING
        }
        const put: SqlTx['put'] = async (table, row) => {
          rows.push([key as number, table, row])
        }
        return { query, put } as SqlTx
      },
    })
    for (const [i, [key, text, params]] of written.entries()) {
      if (i > 0 && buggify?.('transaction.decide-unsent')) throw new InDoubtTransaction('torn')
      const [, table, row] = rows[i]!
      await router.withShard(
        key,
        async (tx) => {
          await tx.query(text, params)
          await tx.put(table, row)
        },
        { table: 'cities' },
      )
    }
    return result
  },
}))

/** Recovers what was broken off last as if it were nothing. */
export const sleepy: Parts = routers((router) => {
  let calls = 0
  const nothing = { committed: [], rolledBack: [], waiting: [], unreachable: [] }
  const sagas = { done: [], undone: [], waiting: [] }
  return {
    recover: async (options) => {
      return ++calls === 6 ? { ...nothing, sagas } : router.recover(options)
    },
  }
})

/** Counts a row too many on one shard. */
export const boasting: Parts = routers((router) => ({
  capacity: async () => {
    const report = await router.capacity()
    const [first, ...others] = report.shards
    return { ...report, shards: [{ ...first!, rows: first!.rows + 1 }, ...others] }
  },
}))

/** Every job goes through a mover with these flaws. */
function movers(flaws: (mover: SlotMover) => Partial<SlotMover>): Parts {
  return {
    makeMovingEngine: (engine) => {
      const mover = engine.mover!
      return flawed<Engine<SqlTx>>(engine, { mover: flawed<SlotMover>(mover, flaws(mover)) })
    },
  }
}

/** Leaves rows where they were. */
export const messy: Parts = movers(() => ({ clean: async () => 0 }))

/** Takes nothing away in the end. */
export const untidy: Parts = movers(() => ({ release: async () => {} }))

/** Counts every row of a group twice. */
export const doubled: Parts = routers((router) => ({
  scatter: async (query, options) => {
    const { rows, missing } = await router.scatter(query, options)
    const twice = rows.map((row) => ({ ...row, cities: 2 * Number(row.cities) }))
    return { rows: query.groupBy === undefined ? twice : rows, missing }
  },
}))
