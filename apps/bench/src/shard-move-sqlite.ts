// Moving slots between two SQLite files: the copy beside one INSERT … SELECT of the same rows
// from the same file through ATTACH, into an empty table with the same indexes and no triggers,
// with the cache that the mover takes; and what it costs to sum rows up for the comparison after
// it. Each round copies into fresh files, and everything is on the disk when a side is done.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { slotOf } from '@ashlar/hash'
import type { Fence, MoveLease, SlotMover } from '@ashlar/shard'
import { SqliteEngine } from '@ashlar/shard/sqlite'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/shard'
const PLAIN = 'INSERT … SELECT'
const ROWS = 200_000
const SLOTS = 4096
/** Those below move. */
const MOVED = SLOTS / 2
const ROUNDS = 7
const LEASE: MoveLease = { job: 'bench', token: 1 }
const TABLES = [{ name: 'entry', kind: 'sharded', key: ['id'] }] as const
const DDL = `create table entry
  (id text primary key, owner integer not null, body text, at integer, score real)`

const moveRow = {
  id: 'move-sqlite',
  title: 'a row copied to another file, in units, the target fenced and on the disk',
  unit: 'us/row',
  goal: { against: PLAIN, atLeast: 0.8 },
}

const verifyRow = {
  id: 'verify-sqlite',
  title: '400,000 rows of six values in a file, summed up for the comparison of two shards',
  unit: 'ms',
  goal: { atMost: 1000 },
}

/** The rows of this file. */
export async function measureSqliteMoves(bench: Bench): Promise<void> {
  if (!bench.wants(moveRow.id) && !bench.wants(verifyRow.id)) return
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-bench-'))
  const names = ['source', ...Array.from({ length: ROUNDS }, (_, round) => `target${round}`)]
  const shards = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.db`)]))
  const engine = new SqliteEngine({ shards })
  try {
    const rows = await fillSource(engine, shards.source!)
    const { mover } = engine
    const units = await unitsOf(mover)
    const moved: number[] = []
    const plain: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const target = `target${round}`
      await install(engine, target, 'moved')
      const copy = async () => {
        moved.push(await timeOf(() => copyAll(mover, target, units), rows))
      }
      const insert = async () => {
        plain.push(insertAll(join(folder, `plain${round}.db`), shards.source!, rows))
      }
      for (const side of round % 2 === 0 ? [copy, insert] : [insert, copy]) await side()
    }
    bench.count({ ...moveRow, results: { [OURS]: moved, [PLAIN]: plain } })
    bench.count({ ...verifyRow, results: { [OURS]: await sumsOf(mover, rows) } })
  } finally {
    await engine.close()
    rmSync(folder, { recursive: true })
  }
}

/** Fills the source past the router, by the function that its guards ask; how many rows move. */
async function fillSource(engine: SqliteEngine, path: string): Promise<number> {
  await install(engine, 'source', 'owned')
  const database = new DatabaseSync(path)
  let slot = 0
  let moved = 0
  try {
    database.function('ashlar_declared_slot', () => slot)
    database.function('ashlar_is_claimed', (_slot) => 1)
    database.function('ashlar_is_mover', () => 1)
    database.exec('begin')
    const insert = database.prepare(
      'insert into entry (id, owner, body, at, score) values (?, ?, ?, ?, ?)',
    )
    for (let i = 0; i < ROWS; i++) {
      const id = `entry-${(i * 7919) % ROWS}`
      slot = slotOf(id, SLOTS)
      if (slot < MOVED) moved++
      insert.run(id, i % 1000, `what was written down as number ${i}, in so many words`, i, i / 7)
    }
    database.exec('commit')
  } finally {
    database.close()
  }
  return moved
}

async function install(engine: SqliteEngine, shard: string, state: Fence['state']): Promise<void> {
  await engine.install(shard, { ddl: [DDL], tables: TABLES })
  const fences = Array.from({ length: SLOTS }, (_, slot) => ({ slot, state, epoch: 1 }))
  await engine.setFences(shard, fences)
  await engine.mover.claim(shard, LEASE)
}

/** Slots in order, as many at once as make a unit. */
async function unitsOf(mover: SlotMover): Promise<number[][]> {
  const sizes = await mover.count('source')
  const units: number[][] = [[]]
  let rows = 0
  for (let slot = 0; slot < MOVED; slot++) {
    if (rows >= mover.unitRows) {
      units.push([])
      rows = 0
    }
    units.at(-1)!.push(slot)
    rows += sizes.get(slot)?.rows ?? 0
  }
  return units
}

async function copyAll(
  mover: SlotMover,
  target: string,
  units: readonly (readonly number[])[],
): Promise<void> {
  for (const [at, slots] of units.entries()) {
    await mover.copy('source', target, LEASE, { slots, position: at + 1 })
  }
}

/** The same rows in one statement and transaction; what a row took. */
function insertAll(path: string, source: string, rows: number): number {
  const database = new DatabaseSync(path)
  try {
    database.exec(`pragma journal_mode = wal; pragma synchronous = full; ${DDL};
      alter table entry add column ashlar_slot integer;
      create index entry_slot on entry (ashlar_slot)`)
    database.exec(`attach '${source.replaceAll("'", "''")}' as source;
      pragma main.cache_size = -65536; pragma source.cache_size = -65536`)
    const start = performance.now()
    database.exec(`begin; insert into main.entry select * from source.entry
      where ashlar_slot < ${MOVED}; commit`)
    return perRow(performance.now() - start, rows)
  } finally {
    database.close()
  }
}

async function sumsOf(mover: SlotMover, rows: number): Promise<number[]> {
  const slots = Array.from({ length: MOVED }, (_, slot) => slot)
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const usPerRow = await timeOf(() => mover.checksums('source', slots), rows)
    rounds.push(usPerRow * 400)
  }
  return rounds
}

async function timeOf(work: () => Promise<unknown>, rows: number): Promise<number> {
  const start = performance.now()
  await work()
  return perRow(performance.now() - start, rows)
}

function perRow(ms: number, rows: number): number {
  return (ms * 1000) / rows
}
