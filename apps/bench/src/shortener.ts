// The example shortener over HTTP on two shards of SQLite, beside the same handlers written without
// Ashlar on one SQLite database that syncs its commits as well. Both serve in this process, by the
// same HTTP code; clients of this process send the next request when they have the answer to the
// last, over connections that stay open.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { openApplication } from '@ashlar/example-shortener/application'
import { httpApi } from '@ashlar/example-shortener/http-api'
import { settingsOf } from '@ashlar/example-shortener/settings'
import type { Link, Shortener } from '@ashlar/example-shortener/shortener'
import type { Bench } from './harness.ts'
import { type DatabaseRow, measureRows, type Work, wide } from './shard-rounds.ts'

export const peers: readonly string[] = []

const OURS = '@ashlar/shortener'
const PLAIN = 'one database'
const CLIENTS = 16
const LINKS = 1_000
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const TABLES = `pragma journal_mode = wal; pragma synchronous = full;
create table requests (key text primary key, link_id text not null, url text not null);
create table links (id text primary key, url text not null);
create table audit (op text primary key, link_id text not null, request text);
create table hits (link_id text primary key, hits integer not null);`

interface Place {
  readonly ours: Caller
  readonly plain: Caller
}

/** What a client does; `n` is another number each time. */
type Act = (caller: Caller, n: number) => Promise<number>

const follow: Act = (caller, n) => caller.follow(n)
const create: Act = (caller, n) => caller.create(`https://example.com/${n}`)
const createKeyed: Act = (caller, n) => caller.create(`https://example.com/${n}`, `request-${n}`)
const mixed: Act = (caller, n) => (n % 10 === 0 ? create(caller, n) : follow(caller, n))

const ROWS: readonly DatabaseRow<Place>[] = [
  row('mixed', 'a request, one in ten makes a link, nine follow one', mixed, 0.8),
  row('follow', 'a link followed', follow, 0.8),
  row('create', 'a link made, on the disk', create, 0.8),
  row(
    'create-keyed',
    'a link made by a request with a key: two transactions here',
    createKeyed,
    0.4,
  ),
]

export async function measure(bench: Bench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-bench-'))
  const fail = (error: unknown) => {
    throw error
  }
  const settings = settingsOf({ PORT: '0', DATA_DIR: join(folder, 'shards') })
  const application = await openApplication(settings, fail)
  const plain = new PlainShortener(join(folder, 'plain.db'))
  const server = await listen(plain, fail)
  const { port } = server.address() as AddressInfo
  const callers = [application.url, `http://127.0.0.1:${port}`].map((url) => new Caller(url))
  const [ours, theirs] = callers as [Caller, Caller]
  try {
    await Promise.all(callers.map((caller) => caller.fill()))
    await measureRows(bench, ROWS, { ours, plain: theirs })
  } finally {
    for (const caller of callers) caller.close()
    await application.close()
    await new Promise((resolve) => server.close(resolve))
    plain.close()
    rmSync(folder, { recursive: true })
  }
}

function row(id: string, title: string, act: Act, atLeast: number): DatabaseRow<Place> {
  return {
    id: `shortener-${id}`,
    title: `${title}, ${CLIENTS} clients`,
    unit: 'us/op',
    goal: { against: PLAIN, atLeast },
    ops: CLIENTS * 10,
    ...{ calls: 1, slices: 4 },
    sides: ({ ours, plain }) => ({ [OURS]: clients(ours, act), [PLAIN]: clients(plain, act) }),
  }
}

/** Clients that send ten requests each, one after another. */
function clients(caller: Caller, act: Act): Work {
  let n = 0
  return wide(CLIENTS, async () => {
    let sum = 0
    for (let i = 0; i < 10; i++) sum += await act(caller, n++)
    return sum
  })
}

/** Requests to one server. */
class Caller {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  readonly #ids: string[] = []

  constructor(url: string) {
    this.#url = url
  }

  /** Makes the links that are followed. */
  async fill(): Promise<void> {
    for (let n = 0; n < LINKS; n++) {
      const { text } = await this.#call('POST', '/links', { url: `https://example.com/${n}` })
      this.#ids.push((JSON.parse(text) as Link).id)
    }
  }

  follow(n: number): Promise<number> {
    // Strides over all of them, and some more often than others.
    const id = this.#ids[(n * n) % LINKS]!
    return this.#expect(302, this.#call('GET', `/${id}`))
  }

  create(url: string, key?: string): Promise<number> {
    return this.#expect(201, this.#call('POST', '/links', { url }, key))
  }

  close(): void {
    this.#agent.destroy()
  }

  async #expect(
    status: number,
    calling: Promise<{ readonly status: number | undefined; readonly text: string }>,
  ): Promise<number> {
    const answer = await calling
    if (answer.status === status) return status
    throw new Error(`expected ${status}, got ${answer.status} ${answer.text}`)
  }

  #call(method: string, path: string, body?: object, key?: string) {
    return new Promise<{ readonly status: number | undefined; readonly text: string }>(
      (resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          ...(key && { 'idempotency-key': key }),
        }
        const sent = request(
          this.#url + path,
          { method, headers, agent: this.#agent },
          (answer) => {
            let text = ''
            answer.setEncoding('utf8')
            answer.on('data', (chunk: string) => {
              text += chunk
            })
            answer.on('end', () => resolve({ status: answer.statusCode, text }))
          },
        )
        sent.on('error', reject)
        sent.end(body && JSON.stringify(body))
      },
    )
  }
}

async function listen(shortener: PlainShortener, onError: (error: unknown) => void) {
  const nobody = async () => {
    throw new Error('one database does not grow')
  }
  const server: Server = httpApi({
    shortener,
    health: () => ({ isReady: true, details: {} }),
    fleet: { begin: nobody, status: nobody },
    adminToken: undefined,
    baseUrl: () => 'http://127.0.0.1',
    onError,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** The same on one database, as it is written with node:sqlite alone. */
class PlainShortener implements Pick<Shortener, 'create' | 'resolve' | 'inspect' | 'delete'> {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #hits = new Map<string, number>()
  readonly #timer = setInterval(() => this.#flush(), 1_000)

  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    this.#database.exec(TABLES)
  }

  async create(input: string, { request: key }: { readonly request?: string } = {}): Promise<Link> {
    const fresh = { id: randomId(), url: new URL(input).href }
    return this.#transaction(() => {
      const known = key && this.#run('select * from requests where key = ?').get(key)
      if (known) return { id: String(known.link_id), url: String(known.url) }
      const { id, url } = fresh
      if (key) this.#run('insert into requests values (?, ?, ?)').run(key, id, url)
      this.#run('insert into links values (?, ?)').run(id, url)
      this.#run('insert into audit values (?, ?, ?)').run(`create ${id}`, id, key ?? null)
      return fresh
    })
  }

  async resolve(id: string): Promise<string | undefined> {
    const link = this.#run('select url from links where id = ?').get(id)
    if (link !== undefined) this.#hits.set(id, (this.#hits.get(id) ?? 0) + 1)
    return link && String(link.url)
  }

  async inspect(id: string): Promise<(Link & { readonly hits: number }) | undefined> {
    const link = this.#run('select url from links where id = ?').get(id)
    if (link === undefined) return undefined
    const hits = Number(this.#run('select hits from hits where link_id = ?').get(id)?.hits ?? 0)
    return { id, url: String(link.url), hits: hits + (this.#hits.get(id) ?? 0) }
  }

  async delete(id: string): Promise<boolean> {
    return this.#transaction(() => {
      if (this.#run('delete from links where id = ?').run(id).changes === 0) return false
      this.#run('delete from hits where link_id = ?').run(id)
      this.#run('insert into audit values (?, ?, null)').run(`delete ${id}`, id)
      return true
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#flush()
    this.#database.close()
  }

  #flush(): void {
    this.#transaction(() => {
      const add = this.#run(`insert into hits values (?, ?)
        on conflict do update set hits = hits + excluded.hits`)
      for (const [id, hits] of this.#hits) add.run(id, hits)
    })
    this.#hits.clear()
  }

  #transaction<R>(act: () => R): R {
    this.#run('begin immediate').run()
    try {
      const result = act()
      this.#run('commit').run()
      return result
    } catch (error) {
      this.#run('rollback').run()
      throw error
    }
  }

  #run(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const made = this.#database.prepare(sql)
    this.#statements.set(sql, made)
    return made
  }
}

function randomId(): string {
  return Array.from(randomBytes(11), (byte) => DIGITS[byte % 62]).join('')
}
