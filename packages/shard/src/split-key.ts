// A key too hot for one shard, laid under several: part 0 is the key itself, the others are keys of
// their own (`partKey`), written in the key's column and hashed to slots of their own. Splitting
// moves nothing; from then on writers choose a part for each row, and `gather` reads them all.

import { slotOf } from '@ashlar/hash'
import type { TransactionContext } from './distributed-transaction.ts'
import type { ShardTx } from './engine.ts'
import { ShardError } from './shard-error.ts'
import { keyText, partKey, type ShardKey } from './shard-key.ts'
import type { ShardMap } from './shard-map.ts'

/** How often it is tried where the map changes in between. */
const MAX_TRIES = 16

/**
 * Lays a key under so many parts. Does nothing if it has as many already.
 *
 * Routers hear of it through their watch; one that has not yet gathers the earlier parts only.
 *
 * @param parts From 2 to 1024, and never fewer than before: rows lie under those there are.
 * @throws {ShardError} `INVALID_OPTION` for fewer than before; `INVALID_MAP` out of range;
 * `UNKNOWN_TABLE`; `MAP_CONFLICT` where the map changed each time it was tried.
 */
export async function splitKey<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  key: ShardKey,
  parts: number,
  { table, signal }: { readonly table?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    signal?.throwIfAborted()
    const map = await context.refresh()
    const before = map.parts(key, table).length
    if (parts === before) return
    if (parts < before) {
      throw new ShardError(
        'INVALID_OPTION',
        `key ${JSON.stringify(keyText(key))} lies under ${before} parts, got ${parts}; parts can ` +
          'only become more, since rows lie under those there are',
      )
    }
    const { next } = map.change({ splits: [{ key, table, parts }] })
    if (await context.store.compareAndSet(map.epoch, next.toJSON())) {
      await context.refresh()
      return
    }
  }
  throw new ShardError(
    'MAP_CONFLICT',
    `the map changed each of ${MAX_TRIES} times while a key was being split; call again`,
  )
}

/** How a part is chosen: by a salt, the same part each time; or at random. */
export type PartChoice = { readonly salt: string } | { readonly random: () => number }

/**
 * The key of one part of a split key, for the key column of a new row and to route it by; the key
 * itself, as text, where it is not split.
 *
 * @param table Whose rule holds; default: by hash.
 * @param choice A salt is best where the row is to be found again by it (the id of a follower of a
 * celebrity): its part changes only when parts are added, so look under all of them then.
 * @example
 * const key = choosePart(map, 'celebrity', { salt: 'follower 7' })
 */
export function choosePart(
  map: ShardMap,
  key: ShardKey,
  choice: PartChoice,
  table?: string,
): string {
  const parts = map.parts(key, table).length
  const part = 'salt' in choice ? slotOf(choice.salt, parts) : Math.floor(choice.random() * parts)
  return partKey(keyText(key), part)
}
