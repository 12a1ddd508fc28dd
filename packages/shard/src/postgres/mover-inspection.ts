// Why slots could not be moved from or to a shard.

import type { TableSpec } from '../engine.ts'
import type { ShardError } from '../shard-error.ts'
import type { CaptureKind } from '../slot-mover.ts'
import { loadCopyStreams } from './copy-stream.ts'
import { logicalProblem } from './logical-capture.ts'
import type { MoverShard } from './mover-shard.ts'
import { isNotInstalled } from './postgres-error.ts'
import { quotedTable } from './sql-name.ts'
import { unnamed } from './statement.ts'

/** What a shard is to a move. */
export type MoveRole = 'source' | 'target'

/** What the catalogue says of a table that is to move, and of those below it. */
interface Inspected {
  readonly name: string
  readonly isThere: boolean
  readonly isInstalled: boolean
  readonly hasKey: boolean
  readonly hasCapture: boolean
  readonly isLogged: boolean
  /** By the primary key, so that a deleted row's is told. */
  readonly isIdentified: boolean
  readonly isHidden: boolean
  readonly foreignKeys: readonly string[]
  readonly isOwn: boolean
}

const INSPECT = `
select json_agg(json_build_object(
  'name', x.name, 'isThere', c.oid is not null, 'isInstalled', i.name is not null,
  'hasKey', exists (select from pg_catalog.pg_index k
    where k.indrelid = c.oid and k.indisprimary and k.indisvalid),
  'hasCapture', exists (select from pg_catalog.pg_trigger t
    where t.tgrelid = c.oid and t.tgname = 'ashlar_capture' and t.tgenabled <> 'D'),
  'isLogged', not exists (select from tree where root = c.oid and relpersistence <> 'p'),
  'isIdentified', not exists (select from tree where root = c.oid and relreplident <> 'd'),
  'isHidden', coalesce(pg_catalog.row_security_active(c.oid), false),
  'isOwn', coalesce(pg_catalog.pg_has_role(c.relowner, 'usage'), true),
  'foreignKeys', (select coalesce(json_agg(f.conname), '[]') from pg_catalog.pg_constraint f
    where f.contype = 'f' and c.oid in (f.conrelid, f.confrelid) and f.conparentid = 0))
  order by x.no) as tables,
  bool_and(pg_catalog.has_parameter_privilege('session_replication_role', 'set')) as may_silence
from unnest($1::text[], $2::text[]) with ordinality as x(name, quoted, no)
left join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(x.quoted)
left join ashlar.installed i on i.name = x.name
`
const TREE = `with tree as (
  select r.oid as root, p.relreplident, p.relpersistence
  from unnest($2::text[]) q join pg_catalog.pg_class r on r.oid = pg_catalog.to_regclass(q)
  cross join lateral (
    select r.oid::regclass as relid union
    select relid from pg_catalog.pg_partition_tree(r.oid)) s
  join pg_catalog.pg_class p on p.oid = s.relid)`

/** A sentence for each reason; none if slots can be moved. */
export async function inspectShard(
  at: MoverShard,
  tables: readonly TableSpec[],
  { role, capture }: { readonly role: MoveRole; readonly capture: CaptureKind },
): Promise<readonly string[]> {
  const problems: string[] = []
  try {
    await loadCopyStreams()
  } catch (error) {
    problems.push((error as ShardError).message)
  }
  const logical = capture === 'logical' ? await logicalProblem(at) : undefined
  if (logical !== undefined) problems.push(logical)
  const sharded = tables.filter(({ kind }) => kind === 'sharded').map(({ name }) => name)
  if (sharded.length === 0) return problems
  try {
    const text = `${TREE}${INSPECT}`
    const { rows } = await at.run(unnamed(text, [sharded, sharded.map(quotedTable)]))
    const { tables: found, may_silence } = rows[0]!
    for (const table of found as Inspected[]) {
      for (const problem of problemsOf(table, role, capture, may_silence === true)) {
        problems.push(`table ${table.name} of shard ${at.id} ${problem}`)
      }
    }
  } catch (error) {
    if (!isNotInstalled(error)) throw error
    if (role === 'source') problems.push(`nothing was installed on shard ${at.id}: run install`)
  }
  return problems
}

function problemsOf(
  table: Inspected,
  role: MoveRole,
  capture: CaptureKind,
  maySilence: boolean,
): string[] {
  // A target gets its tables when the job begins.
  if (!table.isThere) return role === 'target' ? [] : ['is not there']
  if (!table.isInstalled) return role === 'target' ? [] : ['was not installed; run install with it']
  const problems: string[] = []
  if (!table.hasKey) problems.push('has no primary key; add one')
  if (!table.hasCapture) {
    problems.push('lacks the trigger ashlar_capture, or has it disabled; run install again')
  }
  if (table.isHidden) {
    problems.push('hides rows from this role by row security; use a role with BYPASSRLS')
  }
  if (table.foreignKeys.length > 0 && !maySilence) {
    problems.push(
      `has foreign keys (${table.foreignKeys.join(', ')}), which cannot hold while rows arrive: ` +
        'GRANT SET ON PARAMETER session_replication_role to the role',
    )
  }
  if (capture !== 'logical') return problems
  if (!table.isLogged) problems.push('is UNLOGGED, so its changes cannot be decoded')
  if (!table.isIdentified) {
    problems.push('has another REPLICA IDENTITY than DEFAULT, so its keys cannot be decoded')
  }
  if (!table.isOwn) problems.push('belongs to another role, which alone may publish it')
  return problems
}
