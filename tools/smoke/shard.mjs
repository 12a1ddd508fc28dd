// The main parts of @ashlar/shard, on any runtime: the map, and the router over memory.
import { by, ShardMap, ShardRouter } from '@ashlar/shard'
import { MemoryEngine, MemoryMapStore } from '@ashlar/shard/memory'

export default async () => {
  const engine = new MemoryEngine({ shards: ['oak', 'ash'] })
  const store = new MemoryMapStore()
  const map = ShardMap.create({
    shards: ['oak', 'ash'],
    tables: { users: by('id', { primaryKey: ['id'] }) },
  })
  const db = await ShardRouter.open({ engine, store, map })
  for (const id of ['ada', 'ken']) {
    await db.withShard(id, (tx) => tx.put('users', { id }), { table: 'users' })
  }
  const { rows } = await db.scatter({ table: 'users' })
  const plan = db.map.change({ add: ['elm'] })
  await db.close()
  return [rows.length === 2, plan.collateral === 0, plan.moves.length === plan.optimum]
}
