// The README says that its example runs on PostgreSQL by another line. Here that line is.

import { spawnSync } from 'node:child_process'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { database } from './postgres-fleet.ts'

const root = new URL('../../../', import.meta.url)
const SQLITE_LINE = /^const engine = new SqliteEngine\(.*\)$/mu

let server: PostgresServer

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: '16' } })
})
afterAll(() => server.stop())

async function readmeExample(): Promise<string> {
  const { examplesOf } = await import(new URL('tools/examples.mjs', root).href)
  return examplesOf(new URL('packages/shard/README.md', root))[0].code
}

test('the README’s example runs on PostgreSQL by changing one line', async () => {
  const code = await readmeExample()
  expect(code).toMatch(SQLITE_LINE)
  const [oak, ash, elm] = [await database(server), await database(server), await database(server)]
  const line = `const engine = new PostgresEngine(${JSON.stringify({ shards: { oak, ash, elm } })})`
  const program = code.replace(SQLITE_LINE, line)
  const input = `import { PostgresEngine } from '@ashlar/shard/postgres'\n${program}`
  const args = ['--conditions=source', '--input-type=module', '-']
  const cwd = new URL('apps/suite/', root)
  const run = spawnSync(process.execPath, args, { cwd, input, encoding: 'utf8', timeout: 60_000 })
  expect(run).toMatchObject({ status: 0, stderr: '' })
})
