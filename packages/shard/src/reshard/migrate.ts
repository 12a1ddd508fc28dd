// A change of the schema on all shards, with a record of who has it: a job, so that no slots move
// meanwhile, whose rows might miss a column at one end.
//
// On each shard the statements run in one transaction together with a mark that says so, under the
// fence that every shard has. So each shard gets them once, whatever crashes: who calls again goes
// on with the shards that have not.

import { REFERENCE_SLOT, type ShardTx, type SqlTx } from '../engine.ts'
import { PlanConflict, ShardError } from '../shard-error.ts'
import type { ShardMap } from '../shard-map.ts'
import { show } from '../show.ts'
import { holdJob } from './job-hold.ts'
import { newId, type ReshardTools, toolSettings } from './reshard-options.ts'
import { loadMap } from './reshard-plan.ts'

/** Options of {@link migrate}. */
export interface MigrateOptions<Tx extends ShardTx = ShardTx> extends ReshardTools<Tx> {
  /** Names the change for ever: it is made once on each shard. */
  readonly name: string
  /** The statements, run one after the other in one transaction of each shard. */
  readonly ddl: readonly string[]
  /** Stops between two shards; call again to go on. */
  readonly signal?: AbortSignal | undefined
}

/** What {@link migrate} did. */
export interface Migration {
  /** Shards that got it now. */
  readonly changed: readonly string[]
  /** Shards that had it. */
  readonly present: readonly string[]
}

/**
 * Runs statements once on every shard of the map, one shard after the other.
 *
 * Columns that are added should have a default or take NULL: for a while some shards have them and
 * others do not. For a new table, put its rule into the map once all shards have it.
 *
 * @throws {ShardError} `PLAN_CONFLICT` while another job is under way, a migration of another name
 * that is not through for one; `UNSUPPORTED` on an engine
 * without SQL; what a shard refuses a statement with: nothing of it remains on that shard, those
 * before it keep it, and calling again goes on from there.
 *
 * @example
 * const ddl = ['CREATE INDEX users_by_name ON users (name)']
 * const { present } = await migrate({ engine, store, name: 'users by name', ddl })
 * present // → []
 */
export async function migrate<Tx extends ShardTx>(options: MigrateOptions<Tx>): Promise<Migration> {
  const { name, ddl, store, signal } = options
  if (name === '') throw new ShardError('INVALID_OPTION', 'name must not be empty')
  const settings = toolSettings(options)
  const id = newId(settings.randomBytes)
  const begun = { id, kind: 'migrate', body: JSON.stringify({ name, done: [] }) }
  return holdJob(settings, begun, signal, async (hold) => {
    const under = readName(hold.body)
    if (under !== name) {
      throw new PlanConflict(`migration ${show(under)} is not through: call it again first`)
    }
    const map = await loadMap(store)
    const changed: string[] = []
    const present: string[] = []
    for (const { id: shard } of map.shards) {
      hold.signal.throwIfAborted()
      const isNew = await changeShard(options, map, shard, ddl)
      if (isNew) changed.push(shard)
      else present.push(shard)
      await hold.save(JSON.stringify({ name, done: [...present, ...changed] }))
    }
    await hold.end()
    return { changed, present }
  })
}

function readName(body: string): unknown {
  const read: unknown = JSON.parse(body)
  return typeof read === 'object' && read !== null && 'name' in read ? read.name : undefined
}

/** False if the shard had it. */
async function changeShard<Tx extends ShardTx>(
  { engine, name, signal }: MigrateOptions<Tx>,
  map: ShardMap,
  shard: string,
  ddl: readonly string[],
): Promise<boolean> {
  const claim = { slots: [REFERENCE_SLOT], epoch: map.epoch }
  const open = await engine.open(shard, claim, { prepares: false, signal })
  try {
    const tx = open.tx(REFERENCE_SLOT)
    const isNew = await tx.mark(`ashlar-migrate ${name}`)
    if (isNew) for (const statement of ddl) await sqlOf(tx, engine.kind).query(statement)
    await open.commit()
    // Tables may have new columns: triggers and what is known of them must follow.
    await engine.install(shard, { ddl: [], tables: map.specs() })
    return isNew
  } catch (error) {
    await open.rollback().catch(Boolean)
    throw error
  }
}

function sqlOf<Tx extends ShardTx>(tx: Tx, kind: string): Tx & SqlTx {
  if ('query' in tx) return tx as Tx & SqlTx
  throw new ShardError('UNSUPPORTED', `the ${kind} engine has no SQL to change its tables with`)
}
