import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SqliteEngine, SqliteMapStore } from '../src/sqlite/index.ts'
import { folderFor, OneShard, refusal } from './sqlite-fixture.ts'

const TABLE = ['CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)']
const SPEC = [{ name: 't', kind: 'sharded', key: ['id'] }] as const
const CLAIM = { slots: [1], epoch: 1 }

async function oneShard(options: { busyTimeoutMs?: number; readers?: number } = {}) {
  const shard = new OneShard(folderFor(onTestFinished), options)
  onTestFinished(() => shard.engine.close())
  await shard.install(TABLE, SPEC)
  return shard
}

describe('the file of a shard', () => {
  test('is owned by one engine of this process at a time', async () => {
    const shard = await oneShard()
    const other = new SqliteEngine({ shards: { x: shard.path } })
    const error = await refusal(other.check('x'))
    expect(error.code).toBe('UNREACHABLE')
    expect(error.message).toMatch(/is open in another engine/u)
    await shard.engine.close()
    await other.check('x')
    await other.close()
  })

  test('is owned by one process, until that ends, however it ends', async () => {
    const folder = folderFor(onTestFinished)
    const path = join(folder, 's.db')
    const engine = new SqliteEngine({ shards: { s: path } })
    onTestFinished(() => engine.close())
    const source = new URL('../src/sqlite/index.ts', import.meta.url).href
    const code = `import { SqliteEngine } from ${JSON.stringify(source)}
      await new SqliteEngine({ shards: { s: ${JSON.stringify(path)} } }).check('s')
      console.log('mine')
      setInterval(() => {}, 1000)`
    const args = ['--conditions=source', '--input-type=module', '-e', code]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve))
      expect((await refusal(engine.check('s'))).code).toBe('UNREACHABLE')
    } finally {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exited
    }
    await engine.check('s')
  })

  test('is made with its folder; one that is no database is refused as unreachable', async () => {
    const folder = folderFor(onTestFinished)
    writeFileSync(join(folder, 'bad.db'), 'this is no database, and long enough to tell')
    mkdirSync(join(folder, 'folder.db'))
    const shards = {
      new: join(folder, 'a/b/new.db'),
      bad: join(folder, 'bad.db'),
      folder: join(folder, 'folder.db'),
    }
    const engine = new SqliteEngine({ shards })
    onTestFinished(() => engine.close())
    await engine.check('new')
    expect(existsSync(shards.new)).toBe(true)
    for (const shard of ['bad', 'folder']) {
      const error = await refusal(engine.check(shard))
      expect(error.code).toBe('UNREACHABLE')
      expect(error.cause).toBeInstanceOf(Error)
    }
  })

  test('of :memory: leaves nothing behind', async () => {
    const ours = () => readdirSync(tmpdir()).filter((name) => name.startsWith('ashlar-shard-'))
    const before = ours()
    const engine = new SqliteEngine({ shards: { a: ':memory:', b: ':memory:' } })
    await engine.install('a', { ddl: TABLE, tables: SPEC })
    await engine.check('b')
    const [made] = ours().filter((name) => !before.includes(name))
    expect(made).toBeDefined()
    await engine.close()
    expect(existsSync(join(tmpdir(), made!))).toBe(false)
  })

  test('before install owns nothing, and says so', async () => {
    const engine = new SqliteEngine({ shards: { s: ':memory:' } })
    onTestFinished(() => engine.close())
    expect(await engine.fences('s')).toEqual([])
    expect(await engine.measure('s')).toEqual([])
    expect((await refusal(engine.open('s', CLAIM))).code).toBe('SHARD_MOVED')
    expect((await refusal(engine.open('s', CLAIM, { readOnly: true }))).code).toBe('SHARD_MOVED')
    expect((await refusal(engine.scan('s', { table: 't' }))).code).toBe('UNKNOWN_TABLE')
    await engine.resolve('s', 'never', 'rollback')
    await engine.setFences('s', [{ slot: 1, state: 'owned', epoch: 1 }])
    expect(await engine.fences('s')).toEqual([{ slot: 1, state: 'owned', epoch: 1 }])
  })
})

describe('waiting for a turn', () => {
  test('writers come in the order in which they asked, and abort where they wait', async () => {
    const { engine } = await oneShard()
    const order: number[] = []
    const first = await engine.open('s', CLAIM)
    const abort = new AbortController()
    const waiting = [0, 1, 2, 3].map(async (i) => {
      const signal = i === 1 ? abort.signal : undefined
      const open = await engine.open('s', CLAIM, { signal })
      order.push(i)
      await open.commit()
    })
    const reason = new Error('enough')
    abort.abort(reason)
    await first.commit()
    const results = await Promise.allSettled(waiting)
    expect(order).toEqual([0, 2, 3])
    expect(results[1]).toEqual({ status: 'rejected', reason })
  })

  test('ends with UNREACHABLE after busyTimeoutMs, and harms nobody else', async () => {
    const shard = await oneShard({ busyTimeoutMs: 20, readers: 1 })
    const { engine } = shard
    const stuck = await engine.open('s', CLAIM)
    const error = await refusal(engine.open('s', CLAIM))
    expect(error.code).toBe('UNREACHABLE')
    expect(error.message).toMatch(/busy for 20 ms/u)
    const scan = await engine.scan('s', { table: 't' })
    expect((await refusal(engine.fences('s'))).message).toMatch(/1 readers/u)
    await scan.close()
    await stuck.rollback()
    await shard.query(1, 'INSERT INTO t (id) VALUES (1)')
    expect(await shard.scan({ table: 't' })).toHaveLength(1)
  })

  test('ends with CLOSED when the engine closes', async () => {
    const { engine } = await oneShard()
    const open = await engine.open('s', CLAIM)
    const waiting = refusal(engine.open('s', CLAIM))
    await engine.close()
    expect((await waiting).code).toBe('CLOSED')
    expect((await refusal(open.commit())).code).toBe('CLOSED')
    await open.rollback()
  })

  test('a refused claim gives its turn back', async () => {
    const { engine } = await oneShard()
    for (let i = 0; i < 20; i++) {
      const readOnly = i % 2 === 0
      const claim = { slots: [77], epoch: 1 }
      expect((await refusal(engine.open('s', claim, { readOnly }))).code).toBe('SHARD_MOVED')
    }
    await (await engine.open('s', CLAIM)).commit()
  })
})

describe('a transaction', () => {
  test('is over after its end, and says so', async () => {
    const { engine } = await oneShard()
    const open = await engine.open('s', CLAIM)
    const tx = open.tx(1)
    await open.commit()
    for (const late of [tx.query('SELECT 1'), open.commit(), open.prepare('x')]) {
      expect((await refusal(late)).code).toBe('CLOSED')
    }
    expect(() => open.tx(2)).toThrow(/was not claimed/u)
  })

  test('opened with prepares: false commits, and cannot be prepared', async () => {
    const shard = await oneShard()
    const open = await shard.engine.open('s', CLAIM, { prepares: false })
    await open.tx(1).put('t', { id: 1 })
    await open.commit()
    expect(await shard.scan({ table: 't' })).toHaveLength(1)
    const other = await shard.engine.open('s', CLAIM, { prepares: false })
    expect((await refusal(other.prepare('x'))).code).toBe('UNSUPPORTED')
    await shard.query(1, 'DELETE FROM t')
  })

  test('with a row too big for SQLite fails, and leaves the shard as it was', async () => {
    const shard = await oneShard()
    await shard.query(1, "INSERT INTO t (id, v) VALUES (1, 'x')")
    const open = await shard.engine.open('s', CLAIM)
    const huge = open.tx(1).query('INSERT INTO t (v) VALUES (zeroblob(1000000001))')
    await expect(huge).rejects.toThrow(/too big/u)
    await expect(open.commit()).rejects.toThrow(/too big/u)
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1, v: 'x' }])
  })
})

describe('options', () => {
  test.each([
    [{ shards: {} }],
    [{ shards: { a: '' } }],
    [{ shards: { a: 'x' }, readers: 0 }],
    [{ shards: { a: 'x' }, busyTimeoutMs: Number.NaN }],
    [{ shards: { a: 'x' }, busyTimeoutMs: -1 }],
    [JSON.parse('{ "shards": { "a": "x" }, "synchronous": "sometimes" }')],
  ])('%j are refused', (options) => {
    expect(() => new SqliteEngine(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })

  test('a Node without node:sqlite gets one clear line', async () => {
    const builtin = process.getBuiltinModule.bind(process)
    const spy = vi.spyOn(process, 'getBuiltinModule')
    spy.mockImplementation(
      (id: string) => (id === 'node:sqlite' ? undefined : builtin(id)) as never,
    )
    onTestFinished(() => spy.mockRestore())
    const engine = new SqliteEngine({ shards: { s: ':memory:' } })
    const error = await refusal(engine.check('s'))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toMatch(
      /^@ashlar\/shard\/sqlite needs node:sqlite, so Node 22\.13 or later; this is v/u,
    )
    expect(() => new SqliteMapStore(':memory:')).toThrow(/needs node:sqlite/u)
  })

  test('synchronous is what SQLite is told', () => {
    const source = new URL('../src/sqlite/sqlite-database.ts', import.meta.url).href
    const code = `import { openWriter } from ${JSON.stringify(source)}
      for (const [i, how] of ['off', 'normal', 'full'].entries()) {
        const database = openWriter(process.argv[1] + '/' + how, how)
        const { synchronous } = database.prepare('pragma synchronous').get()
        const { journal_mode: journal } = database.prepare('pragma journal_mode').get()
        if (synchronous !== i || journal !== 'wal') throw new Error(how)
      }`
    const folder = folderFor(onTestFinished)
    execFileSync(process.execPath, ['--input-type=module', '-e', code, folder])
  })
})
