// Two processes on one database, with Redis between them, which then goes away and comes back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { BoardProcess } from './board-process.ts'

/** What a busy machine may take to deliver an announcement. */
const BOUND_MS = 1_500
/** Well above, so that it is the announcement that brings the news. */
const FRESH_MS = 3_000
/** What may come on top of either on a busy machine. */
const SLACK_MS = 1_000

const folder = mkdtempSync(join(tmpdir(), 'board-redis-'))
const DATA_FILE = join(folder, 'board.db')
let redis: RedisServer
let boards: readonly [BoardProcess, BoardProcess]

beforeAll(async () => {
  redis = await redisServer()
  const env = { DATA_FILE, REDIS_URL: redis.url, FRESH_MS: String(FRESH_MS) }
  const first = await BoardProcess.start(env)
  boards = [first, await BoardProcess.start(env)]
  await vi.waitFor(async () => {
    for (const board of boards) expect((await board.health()).redis).toBe('ready')
  }, 10_000)
})
afterAll(async () => {
  await Promise.all((boards ?? []).map((board) => board.end('SIGKILL')))
  await redis?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Posts on one, and how long it takes until the other's front page has it; both must hold it. */
async function spread(from: BoardProcess, to: BoardProcess, title: string): Promise<number> {
  await Promise.all([from.page('/'), to.page('/')])
  await from.begin(title)
  const startMs = performance.now()
  expect((await from.page('/')).includes(title)).toBe(true)
  while (!(await to.page('/')).includes(title)) {
    if (performance.now() - startMs > FRESH_MS + SLACK_MS) throw new Error(`${title}: not seen`)
  }
  return performance.now() - startMs
}

test('a post on one is on the other within the bound, by the announcement', async () => {
  const [ann, bob] = boards
  for (let i = 0; i < 5; i++) {
    expect(await spread(ann, bob, `from ann ${i}`)).toBeLessThan(BOUND_MS)
    expect(await spread(bob, ann, `from bob ${i}`)).toBeLessThan(BOUND_MS)
  }
})

test('what one has read the other need not ask the database for', async () => {
  const [ann, bob] = boards
  const id = await ann.begin('read by both')
  await ann.page(`/threads/${id}`)
  const queries = async () => (await ann.health()).queries + (await bob.health()).queries
  const before = await queries()
  const readers = Array.from({ length: 60 }, (_, i) => boards[i % 2]!.page(`/threads/${id}`))
  await Promise.all(readers)
  expect((await queries()) - before).toBe(0)
})

test('without the database both show what they had, and with it again what is there', async () => {
  await Promise.all(boards.map((board) => board.page('/')))
  const holder = new DatabaseSync(DATA_FILE, { timeout: 2_000 })
  holder.exec('BEGIN EXCLUSIVE')
  const isStale = async (board: BoardProcess) => (await board.get('/')).headers.has('board-stale')
  for (const board of boards) {
    await expect.poll(() => isStale(board), { timeout: FRESH_MS + 10_000 }).toBe(true)
    const refused = await board.call('/threads', { title: 'x', text: 'kept' })
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ post: { text: 'kept' } })
  }
  holder.close()
  for (const board of boards) {
    await expect.poll(() => isStale(board), { timeout: 10_000 }).toBe(false)
  }
})

test('without Redis both go on, and with it again news travels as before', async () => {
  const [ann, bob] = boards
  await redis.kill()
  for (const board of boards) {
    await expect.poll(async () => (await board.health()).redis).not.toBe('ready')
  }
  // Its own posts at once, as `spread` sees to; the other's when its page is no longer fresh.
  expect(await spread(ann, bob, 'no redis, from ann')).toBeLessThan(FRESH_MS + SLACK_MS)
  await bob.begin('no redis, from bob')
  expect(await bob.page('/')).toContain('no redis, from bob')
  await redis.start()
  const near = async () => {
    const title = `redis again ${performance.now()}`
    return (await spread(ann, bob, title)) < BOUND_MS
  }
  await expect.poll(near, { timeout: 20_000 }).toBe(true)
  expect(await ann.end()).toEqual([0, null])
  expect(await bob.end()).toEqual([0, null])
})
