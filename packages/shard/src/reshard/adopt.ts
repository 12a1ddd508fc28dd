// Makes a live database that was never sharded the first shard of a map: a job like others, so that
// nothing else is under way meanwhile, done by the engine (adopting-engine.ts) and sealed here:
//
//   every row gets its slot, guards in force ─ fences of all slots at epoch 1 ─ the map in force
//
// Until the map is in force no router can open; from then on the application goes through one. Each
// step may be done again after a crash: call it again with the same map.

import { type Fence, REFERENCE_SLOT, type ShardTx } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardKey } from '../shard-key.ts'
import type { ShardMap } from '../shard-map.ts'
import { show } from '../show.ts'
import { type AdoptProgress, isAdopting } from './adopting-engine.ts'
import { holdJob } from './job-hold.ts'
import { newId, type ReshardTools, toolSettings } from './reshard-options.ts'

/** Options of {@link adopt}. */
export interface AdoptShardOptions<Tx extends ShardTx = ShardTx> extends ReshardTools<Tx> {
  /** The first map: of one shard, the database, with the rules of its tables. */
  readonly map: ShardMap
  /** Rows given their slot by one transaction; default 1,000. */
  readonly batchRows?: number | undefined
  /** How long writers may be held up in the end; default 2,000 ms. */
  readonly maxFreezeMs?: number | undefined
  readonly onProgress?: ((progress: AdoptProgress) => void) | undefined
  /** Stops between two batches; call again to go on. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Adopts a database as the only shard of a map, while its application reads and writes. When it
 * resolves the map is in force, and writes must come through a router: others are refused with
 * `NO_SLOT`. Then `Reshard` adds shards.
 *
 * @throws {ShardError} `UNSUPPORTED` for an engine that cannot; `INVALID_OPTION` for a map of
 * several shards or a later epoch; `MAP_CONFLICT` if another map is in force; `PLAN_CONFLICT` while
 * a job is under way; what the engine refuses tables and keys with.
 *
 * @example
 * const engine = new SqliteEngine({ shards: { oak: file } })
 * const store = new SqliteMapStore(':memory:')
 * const map = ShardMap.create({ shards: ['oak'], tables: { users: by('id') } })
 * await adopt({ engine, store, map })
 */
export async function adopt<Tx extends ShardTx>(options: AdoptShardOptions<Tx>): Promise<void> {
  const { engine, store, map, batchRows = 1_000, maxFreezeMs = 2_000 } = options
  if (!isAdopting(engine)) {
    throw new ShardError('UNSUPPORTED', `the ${engine.kind} engine cannot adopt a database`)
  }
  if (map.shards.length !== 1 || map.epoch !== 1) {
    throw new ShardError(
      'INVALID_OPTION',
      `map must be a first map of one shard, got ${map.shards.length} shards at epoch ${map.epoch}`,
    )
  }
  const shard = map.shards[0]!.id
  const settings = toolSettings(options)
  const id = newId(settings.randomBytes)
  const begun = { id, kind: 'adopt', body: JSON.stringify({ shard }) }
  await holdJob(settings, begun, options.signal, async (hold) => {
    await checkNoOther(options)
    await engine.adopt(
      shard,
      { ddl: [], tables: map.specs() },
      {
        slotOf: (table, key) => slotOf(map, table, key),
        batchRows,
        maxFreezeMs,
        onProgress: options.onProgress,
        signal: hold.signal,
      },
    )
    hold.signal.throwIfAborted()
    await engine.setFences(shard, fencesOf(map, shard))
    if (!(await store.compareAndSet(undefined, map.toJSON()))) await checkNoOther(options)
    await hold.end()
  })
}

/** @throws {ShardError} `MAP_CONFLICT`. */
async function checkNoOther<Tx extends ShardTx>({
  store,
  map,
}: AdoptShardOptions<Tx>): Promise<void> {
  const present = await store.load()
  if (present === undefined || JSON.stringify(present) === JSON.stringify(map.toJSON())) return
  throw new ShardError(
    'MAP_CONFLICT',
    `the store holds a map already (epoch ${present.epoch}): only what is in no map is adopted`,
    { epoch: present.epoch },
  )
}

function fencesOf(map: ShardMap, shard: string): Fence[] {
  const slots = [REFERENCE_SLOT, ...map.slotsOf(shard)]
  return slots.map((slot) => ({ slot, state: 'owned', epoch: map.epoch }))
}

function slotOf(map: ShardMap, table: string, key: readonly unknown[]): number {
  const rule = map.tables.get(table)
  if (rule?.by === 'table') return rule.slot
  if (key.every(isKeyPart)) return map.slotOf(key, table)
  throw new ShardError(
    'INVALID_KEY',
    `a row of ${table} has ${key.map(show).join(', ')} in the columns of its shard key: each ` +
      'must hold text or a whole number',
  )
}

function isKeyPart(value: unknown): value is Exclude<ShardKey, readonly unknown[]> {
  return typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value)
}
