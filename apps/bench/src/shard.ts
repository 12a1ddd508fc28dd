// @ashlar/shard: what a shard map costs in the process (shard-map.ts), beside cluster-key-slot, the
// key hashing of Redis clients; what fences, merges and two-phase commit cost on databases, beside
// the same work without them (shard-commit.ts, shard-servers.ts); and what it takes to move slots
// between databases, beside a plain copy (shard-move.ts, shard-move-sqlite.ts, shard-freeze.ts).

import type { Bench } from './harness.ts'
import { measureFileCommits } from './shard-commit.ts'
import { hotRows, routeRows } from './shard-map.ts'
import { measureSqliteMoves } from './shard-move-sqlite.ts'
import { serverRows } from './shard-servers.ts'

export const peers = ['cluster-key-slot', 'pg', 'pg-copy-streams']

export async function measure(bench: Bench): Promise<void> {
  routeRows(bench)
  hotRows(bench)
  await measureFileCommits(bench)
  await measureSqliteMoves(bench)
  await serverRows(bench)
}
