// The chat as its users have it: three processes, a bus that loses, doubles and reorders a third of
// what it carries, and clients over WebSockets.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCausal } from '@ashlar/history'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { readSettings } from '../src/settings.ts'
import { Chronicle, Client } from './chat-client.ts'
import { ChatProcess, freePort } from './chat-process.ts'

/** Its keepers are c and b: a stranger to it is a. */
const ROOM = 'lobby'
const BAD_BUS = { BUS_LOSS: '0.3', BUS_DUPLICATION: '0.3', BUS_REORDERING: '0.3' }

let folder = ''
let processes: ChatProcess[] = []
let clients: Client[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-'))
})

afterEach(async () => {
  for (const client of clients) client.close()
  await Promise.all(processes.map((process) => process.stop('SIGKILL')))
  await rm(folder, { recursive: true, force: true })
  clients = []
  processes = []
})

/** Starts nodes that know each other. */
async function startNodes(...names: string[]): Promise<ChatProcess[]> {
  const ports = await Promise.all(names.map(freePort))
  const PEERS = names.map((name, i) => `${name}=127.0.0.1:${ports[i]}`).join(',')
  processes = names.map((name) => {
    return new ChatProcess({ NODE_ID: name, PEERS, DATA_DIR: join(folder, name), ...BAD_BUS })
  })
  await Promise.all(processes.map((process) => process.start()))
  return processes
}

async function joined(name: string, chronicle: Chronicle, ...nodes: ChatProcess[]) {
  const client = new Client(name, chronicle)
  clients.push(client)
  return client.join(ROOM, ...nodes)
}

/** Each posts so many messages, most of them answers to what it read last. */
async function talk(among: readonly Client[], posts: number): Promise<void> {
  const all = among.map(async (client) => {
    const safe: Promise<void>[] = []
    for (let n = 0; n < posts; n++) {
      const post = client.post(`<b>${client.name}</b> says ${n}`, client.last)
      safe.push(post.safe)
      if (n % 3 === 0) await post.safe
    }
    await Promise.all(safe)
  })
  await Promise.all(all)
}

async function everybodyHas(among: readonly Client[], chronicle: Chronicle): Promise<void> {
  const lacking = () => among.filter(({ shown }) => shown.size < chronicle.written.length)
  await expect.poll(() => lacking().map(({ name }) => name), { timeout: 20_000 }).toEqual([])
}

test('everybody gets each message once, causes first, while the home is killed', async () => {
  const [a, b, c] = (await startNodes('a', 'b', 'c')) as [ChatProcess, ChatProcess, ChatProcess]
  const chronicle = new Chronicle()
  const guests = await Promise.all([
    joined('ann', chronicle, a, b),
    joined('ben', chronicle, b, a),
    joined('cat', chronicle, c, a),
    joined('dan', chronicle, c, b),
  ])
  await talk(guests, 6)

  const talking = talk(guests, 10)
  await expect.poll(() => chronicle.acknowledged.size, { interval: 1 }).toBeGreaterThan(24)
  expect(await c.stop('SIGKILL')).toBe(null)
  const before = [...chronicle.acknowledged]
  const late = await joined('eve', chronicle, a)
  // Its node is no keeper of the room: what it lacks comes from the one that is left.
  const lost = () => before.filter((id) => !late.shown.has(id))
  await expect.poll(lost, { timeout: 20_000 }).toEqual([])
  await talking
  await c.start()
  await talk(guests, 6)
  const later = await Promise.all([joined('fay', chronicle, c), joined('gus', chronicle, a)])

  const all = [...guests, late, ...later]
  await everybodyHas(all, chronicle)
  expect(before.length).toBeGreaterThanOrEqual(24)
  expect(chronicle.acknowledged.size).toBe(4 * 22)
  for (const client of all) expect(client.complaints).toEqual([])
  const { ok, violations, operations } = checkCausal(chronicle.events)
  expect(violations.map(({ message }) => message)).toEqual([])
  expect(ok).toBe(true)
  expect(operations).toBeGreaterThan(1_000)

  for (const node of [a, b, c]) expect(await node.stop('SIGTERM')).toBe(0)
  for (const node of [a, b, c]) expect(node.said).toBe('')
})

test('what was acknowledged is there after every node was killed and began again', async () => {
  const [a, b] = (await startNodes('a', 'b')) as [ChatProcess, ChatProcess]
  const chronicle = new Chronicle()
  const [ann, ben] = await Promise.all([
    joined('ann', chronicle, a),
    joined('ben', chronicle, b),
  ] as const)
  await talk([ann, ben], 8)
  const unsafe = ann.post('perhaps')
  ann.close()
  ben.close()
  await Promise.all([a.stop('SIGKILL'), b.stop('SIGKILL')])

  await Promise.all([a.start(), b.start()])
  const eager = new WebSocket(new URL(`/rooms/${ROOM}?name=hal`, a.url))
  const heard: string[] = []
  eager.on('message', (data) => heard.push(JSON.parse(String(data)).kind))
  eager.on('open', () => eager.send(JSON.stringify({ id: 'hal-1', text: 'before I am let in' })))
  await expect.poll(() => heard, { timeout: 5_000 }).toContain('acknowledged')
  eager.terminate()
  chronicle.acknowledged.add('hal-1')
  const late = await Promise.all([joined('eve', chronicle, a), joined('fay', chronicle, b)])
  for (const { shown, complaints } of late) {
    expect(complaints).toEqual([])
    expect([...chronicle.acknowledged].filter((id) => !shown.has(id))).toEqual([])
    expect(shown.size).toBeLessThanOrEqual(
      chronicle.acknowledged.size + Number(shown.has(unsafe.id)),
    )
  }
})

test('one node alone serves a page that can run nothing but its own script', async () => {
  const [a] = (await startNodes('a')) as [ChatProcess]
  const page = await fetch(a.url)
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-[\w+/=]+';/u)
  expect(await page.text()).not.toMatch(/innerHTML|insertAdjacent|onclick="/u)
  expect((await fetch(new URL('nothing', a.url))).status).toBe(404)
  expect((await fetch(a.url, { method: 'POST' })).status).toBe(405)
  expect(await (await fetch(new URL('status', a.url))).json()).toMatchObject({
    node: 'a',
    away: [],
  })
})

test('refuses other sites, addresses that make no sense, and posts that are none', async () => {
  const [a] = (await startNodes('a')) as [ChatProcess]
  const hall = new URL('/rooms/hall?name=ann', a.url)
  expect(await endOf(new WebSocket(hall, { origin: 'http://evil.example' }))).toBe('error 401')
  expect(await endOf(new WebSocket(new URL('/rooms/hall', a.url)))).toBe('close 1008')
  expect(await endOf(new WebSocket(new URL('/rooms/hall?name=ann&seen=[]x', a.url)))).toBe(
    'close 1008',
  )
  expect(await endOf(new WebSocket(new URL('/rooms/hall?name=ann&seen={"a":1.5}', a.url)))).toBe(
    'close 1008',
  )
  const never = new URL(`/rooms/hall?name=ann&seen=${JSON.stringify({ 'z~1': 9 })}`, a.url)
  const told = endOf(new WebSocket(never))
  const socket = new WebSocket(hall)
  const words: string[] = []
  socket.on('message', (data) => words.push(JSON.parse(String(data)).kind))
  await expect.poll(() => words).toEqual(['messages'])
  for (const word of ['{', '{}', '[]', 'null', '{"id":"1","text":""}', '{"id":1,"text":"hi"}']) {
    socket.send(word)
  }
  socket.send(JSON.stringify({ id: '__proto__', text: 'x'.repeat(1_000) }))
  await expect.poll(() => words.length).toBe(9)
  expect(words.filter((kind) => kind === 'refused')).toHaveLength(6)
  socket.terminate()
  expect(await told).toBe('close 1013')
})

test('ends with 1 and one clear line if its settings make no sense', async () => {
  const process = new ChatProcess({ NODE_ID: 'a', DATA_DIR: folder, BUS_LOSS: 'much' })
  const line = 'BUS_LOSS must be a number from 0 to 1, got much'
  await expect(process.start()).rejects.toThrow(`ended with 1: ${line}\n`)
  expect(process.said).toBe(`${line}\n`)
  for (const [env, complaint] of [
    [{ PEERS: 'b=127.0.0.1:7100' }, 'PEERS must name NODE_ID too: a=host:port'],
    [{ PEERS: 'a=localhost:7100' }, 'PEERS must be a=1.2.3.4:7100,b=…, each name once; got a=loc'],
    [{ PEERS: 'a=127.0.0.1:70000' }, 'the port of a must be a number from 0 to 65535, got 70000'],
    [{ PORT: '' }, 'PORT must be a number from 0 to 65535, got '],
  ] as const) {
    expect(() => readSettings(env)).toThrow(complaint)
  }
})

/** How a connection ends: refused with a status, or closed with a code. */
async function endOf(socket: WebSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('error', (error) => resolve(`error ${/\d{3}/u.exec(error.message)?.[0]}`))
  socket.on('close', (code) => resolve(`close ${code}`))
  return promise
}
