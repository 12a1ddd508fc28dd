// The tables that the cities are stored in. What belongs to a city lies with it: its visits, and
// its entries in the ledger of people who moved. Countries are few, so every shard has them all.

import { setImmediate } from 'node:timers/promises'
import { by, colocated, type Row, reference, type TableRule } from '@ashlar/shard'
import type { City } from './city.ts'

/** Where the rows of each table lie. */
export const TABLES: Readonly<Record<string, TableRule>> = {
  cities: by('id'),
  visits: colocated('cities', 'city_id'),
  ledger: colocated('cities', 'city_id'),
  countries: reference(),
}

/** What makes them, in SQLite and in PostgreSQL. */
export const DDL: readonly string[] = [
  `create table cities (id integer primary key, name text not null, country text not null,
    population bigint not null, visits integer not null default 0)`,
  'create table visits (id integer primary key, city_id integer not null)',
  'create table ledger (id text primary key, city_id integer not null, people bigint not null)',
  `create table countries (code text primary key, name text not null,
    edition integer not null default 0)`,
]

const NAMES = new Intl.DisplayNames('en', { type: 'region' })

/** Rows between two looks at the event loop, which SQLite alone would not let run. */
const SLICE = 5_000

/** The rows of all cities, one at a time. */
export async function* cityRows(cities: readonly City[]): AsyncGenerator<Row> {
  for (const [i, { id, name, country, population }] of cities.entries()) {
    if (i % SLICE === 0) await setImmediate()
    yield { id, name, country, population, visits: 0 }
  }
}

/** The rows of the countries that these cities are in. */
export function countryRows(cities: readonly City[]): Row[] {
  const codes = new Set(cities.map(({ country }) => country))
  return [...codes].map((code) => countryRow(code, 0))
}

/** The row of a country; another edition is another text of what is known of it. */
export function countryRow(code: string, edition: number): Row {
  return { code, name: countryName(code), edition }
}

/** A country by its ISO code, in English. */
export function countryName(code: string): string {
  return NAMES.of(code) ?? code
}
