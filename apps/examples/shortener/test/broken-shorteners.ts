// Shorteners that each break one rule, and the law that must find it out.

import type { ShardTx } from '@ashlar/shard'
import type { ShortenerOptions } from '../src/shortener.ts'
import type { Alter } from './simulated-server.ts'

type Router = ShortenerOptions['router']

/** What is broken, which law tells, and how it is done. */
export const BROKEN: readonly (readonly [bug: string, law: string, alter: Alter])[] = [
  ['writes the log after the link', 'law 65', withRouter(loggingLater)],
  ['forgets which requests it had', 'law 65', withRouter(forgetting('request'))],
  ['brings back what was deleted', 'law 65', withRouter(forgetting('created'))],
  [
    'does not heed the ids that it hears of',
    'law 66',
    (options) => {
      const { ids } = options
      return { ...options, ids: { next: () => ids.next(), observe: () => {} } }
    },
  ],
  ['keeps links for ever', 'law 67', (options) => ({ ...options, ttlMs: 1e9 })],
  [
    'keeps the permit of a call',
    'law 67',
    (options) => {
      const { breakers } = options
      const run: typeof breakers.run = (shard, fn, how) => {
        breakers.run(shard, () => new Promise(() => {})).catch(Boolean)
        return breakers.run(shard, fn, how)
      }
      return { ...options, breakers: { run } }
    },
  ],
]

function withRouter(change: (router: Router) => Router): Alter {
  return (options) => ({ ...options, router: change(options.router) })
}

/** Answers when the link is there, and writes the log when it gets round to it. */
function loggingLater(router: Router): Router {
  return {
    route: (key, table) => router.route(key, table),
    load: (table, rows) => router.load(table, rows),
    withShard: async (key, act, options) => {
      const log: Parameters<ShardTx['put']>[] = []
      const result = await router.withShard(
        key,
        (tx) => {
          log.length = 0
          return act(
            but(tx, {
              put: async (...row) => {
                if (row[0] === 'audit') log.push(row)
                else await tx.put(...row)
              },
            }),
          )
        },
        options,
      )
      const writeLog = (tx: ShardTx) => Promise.all(log.map((row) => tx.put(...row)))
      if (log.length > 0) router.withShard(key, writeLog, { table: 'links' }).catch(Boolean)
      return result
    },
  }
}

/** Takes whatever has a mark of that kind for new. */
function forgetting(kind: string): (router: Router) => Router {
  return (router) => ({
    route: (key, table) => router.route(key, table),
    load: (table, rows) => router.load(table, rows),
    withShard: (key, act, options) => {
      const forget = (tx: ShardTx) => {
        const mark = async (name: string) => (await tx.mark(name)) || name.startsWith(kind)
        return act(but(tx, { mark }))
      }
      return router.withShard(key, forget, options)
    },
  })
}

/** The same transaction with another way to do some of it. */
function but(tx: ShardTx, other: Partial<ShardTx>): ShardTx {
  return {
    get: (...row) => tx.get(...row),
    put: (...row) => tx.put(...row),
    delete: (...row) => tx.delete(...row),
    select: (request) => tx.select(request),
    mark: (name) => tx.mark(name),
    unmark: (name) => tx.unmark(name),
    ...other,
  }
}
