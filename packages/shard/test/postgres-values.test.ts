import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresEngine } from '../src/postgres/index.ts'
import { engineOn, installedShard } from './postgres-fleet.ts'

let server: PostgresServer
let engine: PostgresEngine

beforeAll(async () => {
  server = await postgresServer({ settings: { timezone: 'Asia/Kolkata' } })
  engine = engineOn(await installedShard(server))
})

afterAll(async () => {
  await engine?.close()
  await server?.stop()
})

async function one(text: string, params: readonly unknown[] = []): Promise<unknown> {
  const open = await engine.open('s1', { slots: [1], epoch: 1 }, { readOnly: true })
  const result = open.tx(1).query(text, params)
  await open.commit()
  return Object.values((await result).rows[0]!)[0]
}

describe('values of PostgreSQL', () => {
  const read: [string, unknown][] = [
    ['9007199254740991::int8', Number.MAX_SAFE_INTEGER],
    ['9007199254740993::int8', 9007199254740993n],
    ["'-9223372036854775808'::int8", -(2n ** 63n)],
    ['123456789012345678901234567890::numeric', 123456789012345678901234567890n],
    ['12.00::numeric', 12],
    ['-12.50::numeric', -12.5],
    ["'NaN'::numeric", Number.NaN],
    ["'Infinity'::numeric", Number.POSITIVE_INFINITY],
    ["'-Infinity'::float8", Number.NEGATIVE_INFINITY],
    ['0.1::float8', 0.1],
    ['true', true],
    ['null::int', null],
    ["'\\x00ff'::bytea", new Uint8Array([0, 255])],
    ["''::bytea", new Uint8Array()],
    ["'2024-02-29'::date", new Date('2024-02-29T00:00:00Z')],
    ["'0044-03-15 BC'::date", new Date('-000043-03-15T00:00:00Z')],
    ["'0099-12-31'::date", new Date('0099-12-31T00:00:00Z')],
    ["'12345-06-07'::date", new Date('+012345-06-07T00:00:00Z')],
    ["'2024-01-02 03:04:05.6'::timestamp", new Date('2024-01-02T03:04:05.600Z')],
    ["'2024-01-02 03:04:05.678901+00'::timestamptz", new Date('2024-01-02T03:04:05.678Z')],
    ["'1880-01-02 03:04:05+00'::timestamptz", new Date('1880-01-02T03:04:05Z')],
    ["'infinity'::timestamptz", 'infinity'],
    ["'{1,null,3}'::int[]", [1, null, 3]],
    ['\'{"a": [1]}\'::jsonb', { a: [1] }],
    ["'2 days'::interval::text", '2 days'],
  ]

  test.each(read)('%s is read as %o', async (text, value) => {
    expect(await one(`select ${text}`)).toEqual(value)
  })

  const sent: [string, unknown][] = [
    ['timestamptz', new Date('2024-02-29T12:34:56.789Z')],
    ['timestamp', new Date('0000-02-29T12:34:56.789Z')],
    ['date', new Date('-000043-03-15T00:00:00Z')],
    ['date', new Date('+012345-06-07T00:00:00Z')],
    ['int8', 2n ** 62n],
    ['numeric', -(2n ** 80n)],
    ['bytea', new Uint8Array([1, 2, 3]).subarray(1)],
    ['text', 'é\u{1F5FF}\\"{},'],
    ['text[]', ['a', null, '', 'NULL', '"\\{}', ',']],
    ['int[]', [[1], [2]]],
    ['jsonb', { a: 'x' }],
    ['boolean', false],
    ['float8', -0.5],
  ]

  test.each(sent)('as a parameter of type %s come back: %o', async (type, value) => {
    expect(await one(`select $1::${type}`, [value])).toEqual(value)
  })

  test('that are undefined are NULL, and bytes go into arrays', async () => {
    expect(await one('select $1::int is null', [undefined])).toBe(true)
    const bytes = [new Uint8Array([255]), null]
    expect(await one("select encode(($1::bytea[])[1], 'hex')", [bytes])).toBe('ff')
  })
})
