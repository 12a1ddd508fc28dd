import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ShardMapJson } from '../src/index.ts'
import { SqliteMapStore } from '../src/sqlite/index.ts'
import { folderFor, refusal } from './sqlite-fixture.ts'

const MAP: ShardMapJson = {
  format: '@ashlar/shard/map',
  version: 1,
  epoch: 1,
  slots: 1,
  shards: [{ id: 'a' }],
  owners: [[1, 0]],
  extra: [],
  nextSlot: 1,
  tables: {},
  pins: [],
  splits: [],
}

const SOURCE = new URL('../src/sqlite/index.ts', import.meta.url).href

/** Runs code in a process of its own, with the store of that path open as `store`. */
async function elsewhere(path: string, code: string): Promise<string> {
  const whole = `import { SqliteMapStore } from ${JSON.stringify(SOURCE)}
    const map = ${JSON.stringify(MAP)}
    const store = new SqliteMapStore(${JSON.stringify(path)})
    ${code}`
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--input-type=module', '-e', whole],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.on('data', (data) => {
    said += data
  })
  const exit = await new Promise((resolve) => child.once('close', resolve))
  expect(exit).toBe(0)
  return said.trim()
}

function newStore(now?: () => number): { store: SqliteMapStore; path: string } {
  const path = join(folderFor(onTestFinished), 'map.db')
  const store = new SqliteMapStore(path, { pollMs: 5, ...(now === undefined ? {} : { now }) })
  onTestFinished(() => store.close())
  return { store, path }
}

describe('the SQLite map store', () => {
  test('hears of changes that other processes make, and not of what is in force', async () => {
    const { store, path } = newStore()
    await store.compareAndSet(undefined, MAP)
    const heard: number[] = []
    store.watch((epoch) => heard.push(epoch))
    const later =
      'for (const epoch of [2, 3]) await store.compareAndSet(epoch - 1, { ...map, epoch })'
    await elsewhere(path, later)
    await expect.poll(() => heard.at(-1)).toBe(3)
    expect(heard).not.toContain(1)
    // Something else of the file changes: nobody is called.
    await store.decisions.decide({ transaction: 't', outcome: 'commit', shards: [] })
    await elsewhere(path, `await store.decisions.settle('t')`)
    expect(heard.filter((epoch) => epoch === 3)).toHaveLength(1)
  })

  test('lets one of many processes set the next map', async () => {
    const { store, path } = newStore()
    await store.compareAndSet(undefined, MAP)
    const code = `let won = 0
      for (let epoch = 2; epoch < 40; epoch++) {
        if (await store.compareAndSet(epoch - 1, { ...map, epoch })) won += 1
      }
      console.log(won)`
    const won = await Promise.all([1, 2, 3].map(() => elsewhere(path, code)))
    expect((await store.load())?.epoch).toBe(39)
    expect(won.reduce((sum, one) => sum + Number(one), 0)).toBe(38)
  })

  test('a watch does not keep the process alive', async () => {
    const { path } = newStore()
    expect(await elsewhere(path, `store.watch(() => {}); console.log('over')`)).toBe('over')
  })

  test('drops settled decisions when their time is over, and their redo at once', async () => {
    let now = 1000
    const { store, path } = newStore(() => now)
    const { decisions } = store
    const redo = new Uint8Array(1000)
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const shards = [{ shard: 's', redo }]
      await decisions.decide({ transaction: name, outcome: 'commit', shards })
      if (name < 'e') await decisions.settle(name, 100)
    }
    expect((await decisions.find('a'))?.outcome).toBe('commit')
    expect((await decisions.unsettled()).map(({ transaction }) => transaction)).toEqual(['e', 'f'])
    now += 101
    await decisions.settle('e')
    expect(await decisions.find('a')).toBeUndefined()
    expect((await decisions.find('e'))?.outcome).toBe('commit')
    expect((await decisions.find('f'))?.shards).toEqual([{ shard: 's', redo }])
    const file = new DatabaseSync(path)
    onTestFinished(() => file.close())
    const kept = file.prepare('SELECT count(*) AS n FROM ashlar_unsettled WHERE length(redo) > 0')
    expect(kept.get()?.n).toBe(1)
  })

  test('of :memory: works, for itself alone', async () => {
    const store = new SqliteMapStore(':memory:')
    onTestFinished(() => store.close())
    const heard: number[] = []
    store.watch((epoch) => heard.push(epoch))
    expect(await store.compareAndSet(undefined, MAP)).toBe(true)
    await expect.poll(() => heard).toEqual([1])
  })

  test('says what is wrong with its options, its file, and calls after close', async () => {
    const { store, path } = newStore()
    expect(() => new SqliteMapStore(path, { pollMs: 0 })).toThrow(/pollMs is 0/u)
    const bad = join(path, 'below-a-file.db')
    expect(() => new SqliteMapStore(bad)).toThrow(expect.objectContaining({ code: 'UNREACHABLE' }))
    await store.close()
    await store.close()
    expect((await refusal(store.load())).code).toBe('CLOSED')
    expect(() => store.watch(() => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })
})
