// A fleet for the command to look after, as a user's module tells of one.

import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by } from '../src/table-rule.ts'

const shards = ['s1', 's2']

export default {
  engine: new MemoryEngine({ shards }),
  store: new MemoryMapStore(),
  map: ShardMap.create({ shards, tables: { users: by('id', { primaryKey: ['id'] }) } }),
}
