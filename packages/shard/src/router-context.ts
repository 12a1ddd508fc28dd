// What the parts that work over shards are given of the router they belong to.

import type { TransactionContext } from './distributed-transaction.ts'
import type { ShardTx } from './engine.ts'
import type { RouterMap } from './router-map.ts'
import type { RouterSettings } from './router-options.ts'
import type { ScatterContext } from './scatter-snapshots.ts'
import { sleep } from './timers.ts'

/** The context of transactions and of scatters. */
export type RouterContext<Tx extends ShardTx> = TransactionContext<Tx> & ScatterContext

/** The context of one router. */
export function routerContext<Tx extends ShardTx>(
  { engine, store, random, randomBytes, timers, buggify }: RouterSettings<Tx>,
  map: RouterMap,
): RouterContext<Tx> {
  return {
    engine,
    store,
    map: () => map.current,
    refresh: () => map.refresh(),
    retry: (attempt, signal) => map.retry(attempt, signal),
    retryPatiently: (attempt, signal) => map.retry(attempt, signal, true),
    newId: () => newId(randomBytes),
    sleep: (ms, signal) => sleep(timers, ms, signal),
    random,
    buggify,
  }
}

/** 128 random bits as hex digits. */
function newId(randomBytes: (out: Uint8Array) => void): string {
  const bytes = new Uint8Array(16)
  randomBytes(bytes)
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
