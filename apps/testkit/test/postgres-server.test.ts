import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { findPostgres, type PostgresSource } from '../src/find-postgres.ts'
import { type PostgresServer, postgresServer } from '../src/postgres-server.ts'

const isDebian = existsSync('/usr/lib/postgresql')
const sources: PostgresSource[] = isDebian ? ['debian', 'npm'] : ['npm']

describe.each(sources)('a PostgreSQL server of %s', (source) => {
  test('keeps what was committed when it is killed and started again', async () => {
    const server = await postgresServer({ sources: [source], fsync: true })
    try {
      await query(server, 'create table t (n int)')
      await query(server, 'insert into t values (7)')
      const { pid, url } = server
      await server.kill()
      expect(server.pid).toBeUndefined()
      await expect(query(server, 'select 1')).rejects.toThrow('ECONNREFUSED')
      await server.start()
      expect(server.pid).not.toBe(pid)
      expect(server.url).toBe(url)
      expect(await query(server, 'select n from t')).toEqual([{ n: 7 }])
      expect(await query(server, 'show fsync')).toEqual([{ fsync: 'on' }])
    } finally {
      await server.stop()
    }
  })

  test('is gone after stop, with its folder, and stops twice', async () => {
    const server = await postgresServer({ sources: [source], settings: { work_mem: '1MB' } })
    const folder = await folderOf(server)
    expect(await query(server, 'show work_mem')).toEqual([{ work_mem: '1MB' }])
    expect(await query(server, 'show fsync')).toEqual([{ fsync: 'off' }])
    await Promise.all([server.stop(), server[Symbol.asyncDispose]()])
    expect(existsSync(folder)).toBe(false)
    await expect(server.start()).rejects.toThrow('was stopped')
  })
})

describe('PostgreSQL servers', () => {
  test('do not share data', async () => {
    const servers = await Promise.all([postgresServer(), postgresServer()])
    try {
      await query(servers[0], 'create table mine (n int)')
      await expect(query(servers[1], 'select * from mine')).rejects.toThrow('does not exist')
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })

  test('tell why they do not start', async () => {
    const settings = { shared_buffers: 'plenty' }
    await expect(postgresServer({ settings })).rejects.toThrow('shared_buffers')
  })

  test('let nobody in without the password', async () => {
    const server = await postgresServer()
    try {
      const { host, port, user, database } = server
      const stranger = new pg.Client({ host, port, user, database, password: 'wrong' })
      await expect(stranger.connect()).rejects.toThrow('password authentication failed')
    } finally {
      await server.stop()
    }
  })

  test('end when the process that runs them is killed', async () => {
    const script = fileURLToPath(import.meta.resolve('./forgetful.ts'))
    const child = spawn(process.execPath, ['--conditions=source', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { port, folders } = JSON.parse(line.toString()) as { port: number; folders: string[] }
    expect(folders.length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    const isLeft = () => folders.some((folder) => existsSync(folder))
    for (let i = 0; i < 200 && isLeft(); i++) await sleep(50)
    expect(isLeft()).toBe(false)
    await expect(once(connect({ host: '127.0.0.1', port }), 'connect')).rejects.toThrow(
      'ECONNREFUSED',
    )
  })

  test('say what to install where there is none', () => {
    expect(() => findPostgres([])).toThrow('apt-get install postgresql')
  })
})

async function query(server: PostgresServer, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url })
  // A killed server ends the connection under us, which the query that is under way reports.
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function folderOf(server: PostgresServer): Promise<string> {
  const [row] = (await query(server, 'show data_directory')) as { data_directory: string }[]
  const folder = join(row!.data_directory, '..')
  expect(readdirSync(tmpdir()).map((name) => join(tmpdir(), name))).toContain(folder)
  return folder
}
