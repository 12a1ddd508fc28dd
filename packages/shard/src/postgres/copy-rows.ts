// Rows from shard to shard, in one transaction of the target and one snapshot of the source: a
// unit of slots, rows by their keys, reference tables. What stands at the target under the same
// slots goes first, so nothing is ever in a row's way but what belongs to the target.
//
// The rows go by COPY, in binary form where that means the same on both servers. Where a row is
// in the way after all (one of a slot that moved away long ago, or of another slot of the same
// job), they go into a temporary table first, so that it can be told which.

import { PlanConflict, type ShardError } from '../shard-error.ts'
import type { CopyUnit, MoveLease, SlotSize } from '../slot-mover.ts'
import { type Copied, pipeRows } from './copy-stream.ts'
import {
  checkSameColumns,
  columnList,
  hasKey,
  keyTexts,
  MARKS,
  type MovedTable,
  ofSlots,
  sameIn,
  sameKey,
  slotsLiteral,
} from './moved-table.ts'
import type { MoverShard } from './mover-shard.ts'
import { sqlStateOf } from './postgres-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { unnamed } from './statement.ts'

/** A table at both ends. */
interface TablePair {
  readonly from: MovedTable
  readonly to: MovedTable
}

/** Which rows of a table move, and what must be gone from the target before. */
interface Selection {
  readonly pair: TablePair
  /** A condition on the table, named `t`, at both ends. */
  readonly where: string
}

/** Both ends of a move. */
export interface MoveEnds {
  readonly from: MoverShard
  readonly to: MoverShard
  readonly lease: MoveLease
  readonly signal?: AbortSignal | undefined
}

const UNIQUE_VIOLATION = '23505'
const SET_POSITION = `insert into ashlar.copied (source, job, position) values ($1, $2, $3)
on conflict (source, job) do update set position = excluded.position`
/** Slots whose rows at the target are the target's. */
const TAKEN = `select f.slot from ashlar.fence f where f.state <> 'moved'`

const OF_NEW = 'using pg_temp.ashlar_rows n where'
const OWN_SLOTS = `select array_to_json(array(select f.slot from ashlar.fence f
where f.state in ('owned', 'frozen'))) as slots`

/** Copies all rows of a unit, and notes the position. */
export async function copyUnit(ends: MoveEnds, { slots, position }: CopyUnit): Promise<SlotSize> {
  const pairs = slots.length === 0 ? [] : await tablePairs(ends, 'sharded')
  const selections = pairs.map((pair) => ({ pair, where: ofSlots('t', slotsLiteral(slots)) }))
  const size = { rows: 0, bytes: 0 }
  await moveRows(ends, selections, {
    before: (target) => checkNotOwned(target, ends.to.id, slots),
    copied: ({ pair }, { rows, bytes }) => {
      if (pair.from.name === MARKS) return
      size.rows += rows
      size.bytes += bytes
    },
    after: (target) => target.run(unnamed(SET_POSITION, [ends.from.id, ends.lease.job, position])),
  })
  return size
}

/** Makes rows of these keys, by table, what they are at the source. */
export async function copyKeys(
  ends: MoveEnds,
  keys: ReadonlyMap<string, readonly (readonly string[])[]>,
  slots: readonly number[],
): Promise<void> {
  const pairs = await tablePairs(ends, 'sharded')
  const free = await notOwned(ends.to, slots)
  if (free.length === 0) return
  const selections = pairs.flatMap((pair) => {
    const own = keys.get(pair.from.name) ?? []
    if (own.length === 0) return []
    const where = `${hasKey(pair.from, 't', own)} and ${ofSlots('t', slotsLiteral(free))}`
    return [{ pair, where }]
  })
  if (selections.length > 0) await moveRows(ends, selections, {})
}

/** Makes the reference tables what they are at the source. */
export async function copyReferences(ends: MoveEnds): Promise<void> {
  const pairs = await tablePairs(ends, 'reference')
  await moveRows(
    ends,
    pairs.map((pair) => ({ pair, where: 'true' })),
    {},
  )
}

/** Begins the copy anew from there. */
export async function setPosition(
  to: MoverShard,
  from: string,
  lease: MoveLease,
  position: number,
): Promise<void> {
  await to.transact({ as: 'write', lease }, (session) =>
    session.run(unnamed(SET_POSITION, [from, lease.job, position])),
  )
}

/** The tables of that kind that the source has, with those of the target. */
async function tablePairs(
  { from, to }: MoveEnds,
  kind: MovedTable['kind'],
): Promise<readonly TablePair[]> {
  const [here, there] = await Promise.all([from.tables(), to.tables()])
  return here
    .filter((table) => table.kind === kind)
    .map((table) => {
      const other = there.find(({ name }) => name === table.name)
      if (other === undefined || other.kind !== kind) throw noTable(to.id, table.name)
      checkSameColumns(table, other, to.id)
      return { from: table, to: other }
    })
}

/** What is done around the rows. */
interface Around {
  before?(target: PostgresSession): Promise<unknown>
  copied?(selection: Selection, copied: Copied): void
  after?(target: PostgresSession): Promise<unknown>
}

/** In one go; where a row was in the way, again with care. */
async function moveRows(
  ends: MoveEnds,
  selections: readonly Selection[],
  around: Around,
): Promise<void> {
  try {
    await tryMove(ends, selections, around, copyStraight)
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error
    try {
      await tryMove(ends, selections, around, copyWithCare)
    } catch (again) {
      throw sqlStateOf(again) === UNIQUE_VIOLATION ? notUnique(ends.to.id, again) : again
    }
  }
}

async function tryMove(
  ends: MoveEnds,
  selections: readonly Selection[],
  around: Around,
  copy: (ends: MoveEnds, sessions: Sessions, selection: Selection) => Promise<Copied>,
): Promise<void> {
  const { from, to, lease, signal } = ends
  const source = { as: 'snapshot', lease, signal } as const
  const target = { as: 'write', lease, signal, isSilent: true } as const
  await to.transact(target, async (there) => {
    await around.before?.(there)
    for (const { pair, where } of selections) {
      there.run(unnamed(`delete from ${pair.to.table} t where ${where}`))
    }
    await from.transact(source, async (here) => {
      // A transaction is idle before its connection is lent.
      await Promise.all([here.run(unnamed('select 1')), there.run(unnamed('select 1'))])
      for (const selection of selections) {
        const copied = await copy(ends, { here, there }, selection)
        around.copied?.(selection, copied)
      }
    })
    await around.after?.(there)
  })
}

interface Sessions {
  readonly here: PostgresSession
  readonly there: PostgresSession
}

function copyStraight(ends: MoveEnds, sessions: Sessions, selection: Selection): Promise<Copied> {
  return pipe(ends, sessions, selection, selection.pair.to.table)
}

async function copyWithCare(
  ends: MoveEnds,
  sessions: Sessions,
  selection: Selection,
): Promise<Copied> {
  const { there } = sessions
  const { to } = selection.pair
  const columns = columnList(to)
  await there.run(
    unnamed(
      `create temporary table ashlar_rows on commit drop as select ${columns} from ${to.table} ` +
        'with no data',
    ),
  )
  const copied = await pipe(ends, sessions, selection, 'pg_temp.ashlar_rows')
  if (to.kind === 'sharded') {
    await checkNotTaken(there, ends.to.id, to)
    there.run(unnamed(`delete from ${to.table} t ${OF_NEW} ${sameKey(to, 't', 'n')}`))
    await deleteStale(sessions, to)
  }
  there.run(
    unnamed(
      `insert into ${to.table} (${columns}) overriding system value ` +
        `select ${columns} from pg_temp.ashlar_rows`,
    ),
  )
  await there.run(unnamed('drop table pg_temp.ashlar_rows'))
  return copied
}

/**
 * Deletes rows that came from the source before, and have what must be unique in one that comes
 * now: at the source they have something else by now or are gone, and are noted as changed.
 */
async function deleteStale({ here, there }: Sessions, table: MovedTable): Promise<void> {
  if (table.uniques.length === 0) return
  const { rows } = await here.run(unnamed(OWN_SLOTS))
  for (const columns of table.uniques) {
    const text = `delete from ${table.table} t ${OF_NEW} ${sameIn(columns, 't', 'n')}
      and t.${SLOT_COLUMN} = any($1) and t.${SLOT_COLUMN} not in (${TAKEN})`
    await there.run(unnamed(text, [rows[0]!.slots]))
  }
}

function pipe(
  { from, to, signal }: MoveEnds,
  { here, there }: Sessions,
  { pair, where }: Selection,
  into: string,
): Promise<Copied> {
  const format = pair.from.isPortable && pair.to.isPortable ? 'binary' : 'text'
  const rows = `select ${columnList(pair.from, 't')} from ${pair.from.table} t where ${where}`
  const source = {
    shard: from.id,
    session: here,
    text: `copy (${rows}) to stdout (format ${format})`,
  }
  const text = `copy ${into} (${columnList(pair.to)}) from stdin (format ${format})`
  return pipeRows(source, { shard: to.id, session: there, text }, signal)
}

/** @throws {ShardError} `PLAN_CONFLICT` */
async function checkNotOwned(
  target: PostgresSession,
  shard: string,
  slots: readonly number[],
): Promise<void> {
  const text = `select slot, state from ashlar.fence
    where slot = any($1) and state in ('owned', 'frozen') order by slot limit 1`
  const { rows } = await target.run(unnamed(text, [slots]))
  if (rows[0] === undefined) return
  const { slot, state } = rows[0]
  throw new PlanConflict(
    `slot ${slot} is ${state} on shard ${shard}: nothing can be copied over what it owns`,
    { shard, slot: Number(slot) },
  )
}

/** Those of the slots whose rows the target does not own. */
async function notOwned(to: MoverShard, slots: readonly number[]): Promise<number[]> {
  const text = `select coalesce(array_to_json(array(
      select u from unnest($1::int[]) u
      where u not in (select slot from ashlar.fence where state in ('owned', 'frozen')))),
    '[]') as free`
  const { rows } = await to.run(unnamed(text, [slots]))
  return rows[0]!.free as number[]
}

/** @throws {ShardError} `PLAN_CONFLICT` */
async function checkNotTaken(
  target: PostgresSession,
  shard: string,
  table: MovedTable,
): Promise<void> {
  const { rows } = await target.run(
    unnamed(
      `select t.${SLOT_COLUMN} as here, n.${SLOT_COLUMN} as slot,
        ${keyTexts(table, 't')}::text as key
      from ${table.table} t join pg_temp.ashlar_rows n on ${sameKey(table, 't', 'n')}
      where t.${SLOT_COLUMN} in (${TAKEN}) limit 1`,
    ),
  )
  if (rows[0] === undefined) return
  const { here, slot, key } = rows[0]
  throw new PlanConflict(
    `a row of ${table.name} has the primary key ${key} under slot ${slot}, and shard ${shard} ` +
      `has another of its own with it, under slot ${here}: delete one of them or give it another ` +
      'key, then resume',
    { shard, slot: Number(slot) },
  )
}

function notUnique(shard: string, cause: unknown): ShardError {
  const { constraint, detail } = cause as { readonly constraint?: string; readonly detail?: string }
  return new PlanConflict(
    `a row that moves to shard ${shard} has what another has there that must be unique ` +
      `(${constraint}: ${detail}): change one of them, then resume`,
    { shard, cause },
  )
}

function noTable(shard: string, table: string): ShardError {
  return new PlanConflict(
    `shard ${shard} has no table ${table} that was installed as it is where its rows come from: ` +
      'run install with it',
    { shard },
  )
}
