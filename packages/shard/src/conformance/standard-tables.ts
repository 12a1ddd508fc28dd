// The tables that the engine kit works on, as SQL that SQLite and PostgreSQL both read, and as the
// specs given to `install`.

import type { InstallSpec, Row } from '../engine.ts'

/**
 * What the kit installs on every shard: `person` (sharded, one column as its primary key; text,
 * integer, 64-bit integer, real, all of them nullable), `purchase` (lies with `person`, composite
 * primary key) and `country` (reference).
 */
export const STANDARD_TABLES: InstallSpec = {
  ddl: [
    `CREATE TABLE IF NOT EXISTS person (
       id TEXT NOT NULL PRIMARY KEY, name TEXT, age INTEGER, balance BIGINT, score DOUBLE PRECISION
     )`,
    `CREATE TABLE IF NOT EXISTS purchase (
       person_id TEXT NOT NULL, no INTEGER NOT NULL, item TEXT, amount BIGINT,
       PRIMARY KEY (person_id, no)
     )`,
    'CREATE TABLE IF NOT EXISTS country (code TEXT NOT NULL PRIMARY KEY, name TEXT)',
  ],
  tables: [
    { name: 'person', kind: 'sharded', key: ['id'], primaryKey: ['id'] },
    { name: 'purchase', kind: 'sharded', key: ['person_id'], primaryKey: ['person_id', 'no'] },
    { name: 'country', kind: 'reference', key: [], primaryKey: ['code'] },
  ],
}

/** A row of `person`; columns not given are NULL. */
export function person(id: string, columns: Row = {}): Row {
  return { id, name: null, age: null, balance: null, score: null, ...columns }
}

/** A row of `purchase`; columns not given are NULL. */
export function purchase(personId: string, no: number, columns: Row = {}): Row {
  return { person_id: personId, no, item: null, amount: null, ...columns }
}
