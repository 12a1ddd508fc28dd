// Two processes, a real Redis as their far cache, another as the origin: what they read is judged
// by the history of all that they did, while Redis is killed and comes back with an old snapshot.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { checkStaleness, type HistoryEvent } from '@ashlar/history'
import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import type { MemberReport, Order } from './tiered-member.ts'

const MEMBER = fileURLToPath(import.meta.resolve('./tiered-member.ts'))
/** What a busy machine may take to deliver an announcement, or to connect again. */
const BOUND_MS = 1_500

class Member {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  constructor(...args: readonly string[]) {
    const command = ['--conditions=source', MEMBER, ...args]
    this.#child = spawn(process.execPath, command, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#exited = once(this.#child, 'exit')
  }

  say(order: Order): void {
    this.#child.send(order)
  }

  async report(): Promise<MemberReport> {
    const reported = once(this.#child, 'message')
    this.say('report')
    const [report] = (await reported) as [MemberReport]
    return report
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

/** One history out of several, in the order of time. */
function merge(reports: readonly MemberReport[]): HistoryEvent[] {
  const all = reports.flatMap(({ events }, n) =>
    events.map((event) => ({ ...event, id: event.id * reports.length + n })),
  )
  return all.toSorted((a, b) => a.time - b.time)
}

async function withMembers(
  trust: 'trusting' | 'careful',
  scene: (cache: RedisServer, members: readonly Member[]) => Promise<void>,
): Promise<void> {
  const [cache, origin] = [await redisServer({ persistence: 'snapshot' }), await redisServer()]
  const members = ['ann', 'bob'].map((name) => new Member(name, cache.url, origin.url, trust))
  try {
    for (const member of members) {
      await expect
        .poll(async () => (await member.report()).events.length, { timeout: 20_000 })
        .toBeGreaterThan(50)
    }
    await scene(cache, members)
  } finally {
    for (const member of members) await member.kill()
    await Promise.all([cache.stop(), origin.stop()])
  }
}

/** Writes, saves, writes on, kills, and starts again from what was saved; all that was done. */
async function killAndRestart(
  cache: RedisServer,
  members: readonly Member[],
): Promise<readonly MemberReport[]> {
  const say = (order: Order) => {
    for (const member of members) member.say(order)
  }
  say('write')
  await sleep(700)
  say('rest')
  await sleep(200)
  const client = new Redis(cache.url)
  await client.save()
  client.disconnect()
  say('write')
  await sleep(500)
  say('rest')
  await sleep(100)
  await cache.kill()
  await sleep(300)
  await cache.start()
  // Longer than the bound, so that what came back would be found out.
  await sleep(BOUND_MS + 500)
  say('write')
  await sleep(600)
  say('rest')
  await sleep(100)
  return await Promise.all(members.map((member) => member.report()))
}

test('two processes read within the bound, also after Redis came back with its past', async () => {
  await withMembers('careful', async (cache, members) => {
    const reports = await killAndRestart(cache, members)
    const history = merge(reports)
    const writes = history.filter(({ f, type }) => f === 'write' && type === 'ok')
    const reads = history.filter(({ f, type }) => f === 'read' && type === 'ok')
    expect(writes.length).toBeGreaterThan(40)
    expect(reads.length).toBeGreaterThan(500)
    const { ok, violations } = checkStaleness(history, { boundMs: BOUND_MS })
    expect(violations.map(({ message }) => message)).toEqual([])
    expect(ok).toBe(true)
    // Reads were answered by caches, not by loading each time.
    expect(reports[0]!.loads + reports[1]!.loads).toBeLessThan(reads.length / 2)
  })
})

test('a broken twin that trusts what came back is caught', async () => {
  await withMembers('trusting', async (cache, members) => {
    const history = merge(await killAndRestart(cache, members))
    expect(checkStaleness(history, { boundMs: BOUND_MS }).ok).toBe(false)
  })
})
