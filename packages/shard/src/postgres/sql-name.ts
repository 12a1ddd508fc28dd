// Names of tables and columns in SQL: always quoted, so exactly what was written, upper case,
// spaces and reserved words included. A dot parts schema and table; a name that has a quote in it
// is read as SQL reads it: `app.users`, `"Odd.name"`, `app."Odd.name"`.

import { ShardError } from '../shard-error.ts'

/** PostgreSQL cuts longer names off, in bytes. */
const MAX_BYTES = 63
const PARTS = /^(?:"((?:[^"]|"")+)"|([^".]+))(?:\.(?:"((?:[^"]|"")+)"|([^".]+)))?$/

/**
 * A table's name for SQL.
 *
 * @throws {ShardError} `INVALID_TABLE` for what is no name.
 */
export function quotedTable(name: string): string {
  const match = PARTS.exec(name)
  const parts = [match?.[1] ?? match?.[2], match?.[3] ?? match?.[4]]
    .filter((part) => part !== undefined)
    .map((part) => part.replaceAll('""', '"'))
  if (parts.length > 0 && parts.every(isName)) return parts.map(quotedColumn).join('.')
  throw new ShardError(
    'INVALID_TABLE',
    `${JSON.stringify(name)} is no name of a table; give table, schema.table or "quoted"."names" ` +
      `of at most ${MAX_BYTES} bytes each`,
  )
}

/** A column's name for SQL. */
export function quotedColumn(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text for SQL, where no parameter may stand. */
export function quotedText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

function isName(part: string): boolean {
  return !part.includes('\0') && new TextEncoder().encode(part).length <= MAX_BYTES
}
