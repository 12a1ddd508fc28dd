// The board as its readers and writers meet it: over HTTP, with a database that goes away.

import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BoardProcess, formOf } from './board-process.ts'

/** A page that waits for a database that is not there gives up within the breaker's patience. */
const IN_TIME_MS = 2_500

/** What a machine that is busy with other things may take. */
const LONG = { timeout: 10_000 }

const folder = mkdtempSync(join(tmpdir(), 'board-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Another process to the board: what it does to the file is done from outside. */
function lock(file: string): () => void {
  const database = new DatabaseSync(file, { timeout: 2_000 })
  database.exec('BEGIN EXCLUSIVE')
  return () => {
    database.exec('ROLLBACK')
    database.close()
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const startMs = performance.now()
  const result = await work()
  return [result, performance.now() - startMs]
}

/** Every kind of tag on a page, with the names of its attributes. */
function tagsOf(page: string): Set<string> {
  const bare = page.replace(/"[^"]*"/gu, '')
  return new Set(Array.from(bare.matchAll(/<[^>]*>/gu), ([tag]) => tag))
}

describe('with its database', () => {
  let board: BoardProcess

  beforeAll(async () => {
    board = await BoardProcess.start({ DATA_FILE: join(folder, 'there.db'), FRESH_MS: '60000' })
  })
  afterAll(() => board.end('SIGKILL'))

  test('a form begins a thread, another one replies, and both are on the next page', async () => {
    const first = formOf(await board.page('/'))
    const begun = await board.send('/threads', { ...first, title: 'Cats', text: 'one\r\ntwo' })
    expect(begun.status).toBe(303)
    const thread = begun.headers.get('location')!
    expect(thread).toBe(`/threads/${first.id}#${first.id}`)
    expect(await board.page('/')).toMatch(/>Cats<\/a> <small>1 post,/u)
    const reply = { ...formOf(await board.page(thread)), name: 'Ann', text: 'three' }
    expect((await board.send(`/threads/${first.id}/posts`, reply)).status).toBe(303)
    const page = await board.page(`/threads/${first.id}`)
    expect(page).toMatch(/Anonymous.*<p>one\ntwo<\/p>[\s\S]*Ann.*<p>three<\/p>/u)
    expect(await board.page('/')).toMatch(/>Cats<\/a> <small>2 posts,/u)
  })

  test('whoever posts reads it at once, while others read all the time', async () => {
    let isOver = false
    const others = Array.from({ length: 2 }, async () => {
      while (!isOver) await board.page('/')
    })
    const missed: string[] = []
    for (let i = 0; i < 20; i++) {
      const title = `own post ${i}`
      await board.begin(title)
      if (!(await board.page('/')).includes(title)) missed.push(title)
    }
    isOver = true
    await Promise.all(others)
    expect(missed).toEqual([])
  })

  test('200 readers of a page that has just become void cost one query', async () => {
    const id = await board.begin('popular')
    for (const path of ['/', `/threads/${id}`, `/api/threads/${id}`]) {
      await board.call(`/threads/${id}/posts`, { text: 'makes it void' })
      const before = await board.health()
      const pages = await Promise.all(Array.from({ length: 200 }, () => board.page(path)))
      expect(new Set(pages.map((page) => page.includes('popular')))).toEqual(new Set([true]))
      expect((await board.health()).queries - before.queries).toBe(1)
    }
  })

  test('older threads are on older pages', async () => {
    for (let i = 0; i < 31; i++) await board.begin(`many ${i}`)
    const page = await board.page('/')
    expect(page).toContain('many 30<')
    expect(page).not.toContain('many 0<')
    const older = /<a rel="next" href="([^"]+)"/u.exec(page)?.[1]
    expect(await board.page(older!)).toContain('many 0<')
  })

  test('a form that is sent twice is one post', async () => {
    const id = await board.begin('twice')
    const form = { ...formOf(await board.page(`/threads/${id}`)), text: 'only once' }
    const answers = [1, 2, 3].map(() => board.send(`/threads/${id}/posts`, form))
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([303, 303, 303])
    expect((await board.page(`/threads/${id}`)).match(/only once/gu)).toHaveLength(1)
  })

  test.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    '</textarea></title></p><svg onload=alert(1)>',
    '&lt;script&gt; &#60;b&#62; <!-- ]]>',
  ])('%s stays a text wherever it is shown', async (evil) => {
    const show = async (text: string) => {
      const fields = { title: text, name: text.slice(0, 40), text }
      const begun = await board.call('/threads', fields)
      const { threadId } = (await begun.json()) as { threadId: string }
      // With a text that is too long the form comes back, filled.
      const long = { ...fields, text: text + 'x'.repeat(8_000) }
      const refused = await board.send('/threads', long)
      const pages = [await board.page('/'), await board.page(`/threads/${threadId}`)]
      return { threadId, long, pages: [...pages, await refused.text()] }
    }
    const harmless = await show('harmless')
    const { threadId, long, pages } = await show(evil)
    expect(formOf(pages[2]!)).toMatchObject(long)
    for (const [i, page] of pages.entries()) {
      expect(page.includes(evil)).toBe(false)
      expect(tagsOf(page)).toEqual(tagsOf(harmless.pages[i]!))
    }
    const read = await board.get(`/api/threads/${threadId}`)
    expect(await read.json()).toMatchObject({ title: evil, posts: [{ text: evil }] })
    expect(read.headers.get('content-type')).toBe('application/json')
    expect(read.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test.each([
    ['/threads', '{', 400, 'BAD_REQUEST'],
    ['/threads', '7', 400, 'BAD_REQUEST'],
    ['/threads', {}, 400, 'BAD_POST'],
    ['/threads', { title: ' ', text: 'x' }, 400, 'BAD_POST'],
    ['/threads', { title: 'x', text: ['x'] }, 400, 'BAD_POST'],
    ['/threads', { title: 'x', text: '\u0000' }, 400, 'BAD_POST'],
    ['/threads', { id: "' OR 1", title: 'x', text: 'x' }, 400, 'BAD_POST'],
    ['/threads', { title: 'x', text: 'x'.repeat(100_000) }, 413, 'TOO_LARGE'],
    ['/threads/01ARZ3NDEKTSV4RRFFQ69G5FAV/posts', { text: 'x' }, 404, 'NOT_FOUND'],
    ['/threads/01ARZ3NDEKTSV4RRFFQ69G5FAV', { text: 'x' }, 405, 'NOT_ALLOWED'],
    ['/threads/__proto__/posts', { text: 'x' }, 404, 'NOT_FOUND'],
    ['/elsewhere', { text: 'x' }, 404, 'NOT_FOUND'],
  ])('POST %s of %j is answered by %i', async (path, body, status, code) => {
    const response = await board.call(path, body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code } })
  })

  test.each([
    ['/threads/01ARZ3NDEKTSV4RRFFQ69G5FAV', 404],
    ['/?before=1e99', 400],
    ['/?before=%00', 400],
    ['//', 404],
    ['/threads/../health', 200],
  ])('GET %s is answered by %i', async (path, status) => {
    expect((await board.get(path)).status).toBe(status)
  })
})

describe.concurrent('without its database', () => {
  test.for([
    ['is locked by another process', lock],
    ['has been moved away', moveAway],
  ] as const)(
    'that %s, it shows what it had, and keeps what is written',
    async ([, takeAway], { expect }) => {
      const file = join(folder, `${takeAway.name}.db`)
      await using board = await BoardProcess.start({ DATA_FILE: file, FRESH_MS: '200' })
      const id = await board.begin('before')
      const form = {
        ...formOf(await board.page(`/threads/${id}`)),
        name: 'Ann',
        text: '<long> text',
      }
      await board.page('/')
      const giveBack = takeAway(file)

      await expect
        .poll(async () => (await board.get('/')).headers.has('board-stale'), LONG)
        .toBe(true)
      for (const path of ['/', `/threads/${id}`]) {
        const [response, tookMs] = await timed(() => board.get(path))
        expect(tookMs).toBeLessThan(IN_TIME_MS)
        expect(response.status).toBe(200)
        expect(response.headers.get('board-stale')).toMatch(/^since=\d{4}-/u)
        const page = await response.text()
        expect(page).toContain('before')
        expect(page).toContain('The database cannot be reached')
      }
      expect(await (await board.get('/api/threads')).json()).toMatchObject({ isStale: true })

      const [refused, tookMs] = await timed(() => board.send(`/threads/${id}/posts`, form))
      expect(tookMs).toBeLessThan(IN_TIME_MS)
      expect(refused.status).toBe(503)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      const returned = formOf(await refused.text())
      expect(returned).toEqual(form)
      expect((await board.get('/health')).status).toBe(200)

      giveBack()
      await expect
        .poll(async () => (await board.send(`/threads/${id}/posts`, returned)).status, LONG)
        .toBe(303)
      const response = await board.get(`/threads/${id}`)
      expect(response.headers.has('board-stale')).toBe(false)
      const page = await response.text()
      expect(page).not.toContain('cannot be reached')
      expect(page.match(/&#60;long&#62; text/gu)).toHaveLength(1)
    },
  )

  test('it starts, says so, and is there as soon as the database is', async ({ expect }) => {
    const file = join(folder, 'late.db')
    const unlock = lock(file)
    await using board = await BoardProcess.start({ DATA_FILE: file })
    const refused = await board.get('/')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    unlock()
    await expect.poll(async () => (await board.get('/')).status, LONG).toBe(200)
  })
})

/** As `mv` does it. */
function moveAway(file: string): () => void {
  renameSync(file, `${file}.aside`)
  return () => renameSync(`${file}.aside`, file)
}

describe('at its end', () => {
  test('SIGTERM lets a post under way come to its end, and nobody else in', async () => {
    const file = join(folder, 'drain.db')
    await using board = await BoardProcess.start({ DATA_FILE: file })
    await board.page('/')
    const posting = request(`${board.url}/api/threads`, { method: 'POST' })
    posting.write('{"title":"the last one",')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const ended = board.end('SIGTERM')
    await expect.poll(() => board.get('/').catch(() => 'refused'), LONG).toBe('refused')
    posting.end('"text":"made it"}')
    const status = await new Promise((resolve, reject) => {
      posting.once('response', (response) => resolve(response.statusCode)).once('error', reject)
    })
    expect(status).toBe(201)
    expect(await ended).toEqual([0, null])
    const titles = new DatabaseSync(file).prepare('SELECT title FROM threads').all()
    expect(titles).toMatchObject([{ title: 'the last one' }])
  })

  test('SIGKILL in the middle of posting loses nothing that was acknowledged', async () => {
    const file = join(folder, 'killed.db')
    await using board = await BoardProcess.start({ DATA_FILE: file })
    const acknowledged: string[] = []
    let isOver = false
    const keepPosting = async () => {
      while (!isOver)
        await board.begin('kept').then(
          (id) => acknowledged.push(id),
          () => {},
        )
    }
    const posting = Promise.all([1, 2, 3, 4].map(keepPosting))
    await expect.poll(() => acknowledged.length, LONG).toBeGreaterThan(20)
    await board.end('SIGKILL')
    isOver = true
    await posting
    await using again = await BoardProcess.start({ DATA_FILE: file })
    const found = acknowledged.map(async (id) => (await again.get(`/threads/${id}`)).status)
    expect(new Set(await Promise.all(found))).toEqual(new Set([200]))
  })

  test('a setting that makes no sense is one clear line', async () => {
    await expect(BoardProcess.start({ PORT: 'http' })).rejects.toThrow(
      'PORT: got "http", allowed is 0 to 65535',
    )
  })
})
