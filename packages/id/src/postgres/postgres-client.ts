// What the stores of this folder need of a PostgreSQL client, and how they use it: one statement
// a call, so each call is one transaction and one round trip. A table that is not there is made on
// the way, so that a role without the right to create one does as well once it exists.

import { abortable } from '../timers.ts'

/**
 * Runs one statement. A `Pool` of the package `pg` fits; so does anything with the same method.
 * It must not be in a transaction: what is rolled back would be given out again.
 */
export interface PostgresClient {
  query(
    text: string,
    values?: unknown[],
  ): PromiseLike<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
}

type Row = Readonly<Record<string, unknown>>

/**
 * Waits for the disk also where the server is set not to: a commit that is forgotten in a crash
 * would be made again, with the same numbers. Put where every statement evaluates it.
 */
export const DURABLY = `case current_setting('synchronous_commit') when 'off'
  then set_config('synchronous_commit', 'on', true) end as durably`

const NO_SUCH_TABLE = '42P01'
/** Somebody else made it at the same moment: as a table, as its type, or as its name. */
const MADE_ALREADY = new Set(['42P07', '42710', '23505'])

/** The rows of a statement; makes the table first if there is none. */
export async function rowsOf(
  client: PostgresClient,
  text: string,
  values: unknown[],
  options: { readonly createTable: string; readonly signal?: AbortSignal | undefined },
): Promise<readonly Row[]> {
  const ask = async () => (await client.query(text, values)).rows
  const { signal } = options
  signal?.throwIfAborted()
  try {
    return await abortable(ask(), signal)
  } catch (error) {
    if (codeOf(error) !== NO_SUCH_TABLE) throw error
  }
  await abortable(createTable(client, options.createTable), signal)
  return abortable(ask(), signal)
}

/** Makes a table unless it is there. */
export async function createTable(client: PostgresClient, text: string): Promise<void> {
  try {
    await client.query(text)
  } catch (error) {
    if (!MADE_ALREADY.has(codeOf(error) ?? '')) throw error
  }
}

/** The five characters by which PostgreSQL names an error. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}
