// What every channel promises, whatever carries it. `open` makes one more channel to the same
// place, as another process would. Stores go by clocks of their own, so holds are short and real.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BreakerChannel, ChannelError } from '../src/channels/index.ts'

export type OpenChannel = BreakerChannel & { close(): Promise<void> }
export type Open = () => Promise<OpenChannel>

/** Long enough that a busy machine asks twice within it. */
const TTL_MS = 700
const { signal } = new AbortController()
const NASTY = [
  '',
  '__proto__',
  'constructor',
  '\ud800',
  '\udfff',
  'a\0b',
  '漢字 "\'\\',
  'x'.repeat(512),
]

/** Subscribes and waits until messages arrive. */
async function hear(channel: OpenChannel, open: Open): Promise<string[]> {
  const heard: string[] = []
  channel.subscribe((message) => heard.push(message))
  const other = await open()
  await expect
    .poll(
      async () => {
        await other.publish('are you there?', { signal }).catch(() => {})
        return heard.length
      },
      { timeout: 15_000 },
    )
    .toBeGreaterThan(0)
  await other.close()
  return heard
}

export const CHANNEL_LAWS: Readonly<Record<string, (open: Open) => Promise<void>>> = {
  'a message reaches every subscriber as it was, its sender included': async (open) => {
    const [a, b] = [await open(), await open()]
    const [byA, byB] = [await hear(a, open), await hear(b, open)]
    const messages = ['{"v":1}', '', 'ünï 漢字 "\'\\ $1', 'z'.repeat(4_096)]
    for (const message of messages) await a.publish(message, { signal })
    const asked = 'are you there?'
    for (const heard of [byA, byB]) {
      await expect.poll(() => heard.filter((message) => message !== asked)).toEqual(messages)
    }
    await Promise.all([a.close(), b.close()])
  },

  'who unsubscribed hears no more, and others do': async (open) => {
    const channel = await open()
    const stays = await hear(channel, open)
    let leaves = 0
    const unsubscribe = channel.subscribe(() => leaves++)
    unsubscribe()
    unsubscribe()
    await channel.publish('still there?', { signal })
    await expect.poll(() => stays.at(-1)).toBe('still there?')
    expect(leaves).toBe(0)
    await channel.close()
  },

  'of many who want a key one holds it, and each key is by itself': async (open) => {
    const channels = await Promise.all([open(), open(), open()])
    const keys = NASTY.slice(0, 4)
    for (const key of keys) {
      const tries = Array.from({ length: 12 }, (_, i) => channels[i % 3]!.tryHold(key, 30_000))
      const holds = (await Promise.all(tries)).filter((hold) => hold !== null)
      expect(holds).toHaveLength(1)
    }
    for (const channel of channels) await channel.close()
  },

  'every string is a key of its own': async (open) => {
    const channel = await open()
    const holds = []
    for (const key of NASTY) holds.push(await channel.tryHold(key, 30_000))
    expect(holds.every((hold) => hold !== null)).toBe(true)
    expect(await channel.tryHold('\ud800', 30_000)).toBeNull()
    for (const hold of holds) await hold!.release()
    await channel.close()
  },

  'a hold lasts for its time, and no longer': async (open) => {
    const [a, b] = [await open(), await open()]
    const startedMs = performance.now()
    expect(await a.tryHold('k', TTL_MS)).not.toBeNull()
    const whileHeld = await b.tryHold('k', TTL_MS)
    if (performance.now() - startedMs < TTL_MS) expect(whileHeld).toBeNull()
    await sleep(TTL_MS + 20)
    expect(await b.tryHold('k', TTL_MS)).not.toBeNull()
    await Promise.all([a.close(), b.close()])
  },

  'what is released is free at once, twice is safe': async (open) => {
    const [a, b] = [await open(), await open()]
    const hold = await a.tryHold('k', 30_000)
    await hold!.release()
    await hold!.release()
    expect(await b.tryHold('k', 30_000)).not.toBeNull()
    await Promise.all([a.close(), b.close()])
  },

  'a late release takes nothing from whoever holds the key by now': async (open) => {
    const [a, b] = [await open(), await open()]
    const late = await a.tryHold('k', 50)
    await sleep(80)
    expect(await b.tryHold('k', 30_000)).not.toBeNull()
    await late!.release()
    expect(await a.tryHold('k', 30_000)).toBeNull()
    await Promise.all([a.close(), b.close()])
  },

  'an aborted publish says so': async (open) => {
    const channel = await open()
    const reason = new Error('enough')
    await expect(channel.publish('x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await channel.close()
  },

  'a closed channel says so, and closes twice': async (open) => {
    const channel = await open()
    await hear(channel, open)
    await channel.close()
    await channel.close()
    const isClosed = (error: unknown) => error instanceof ChannelError && error.code === 'CLOSED'
    await expect(channel.publish('x', { signal })).rejects.toSatisfy(isClosed)
    await expect(channel.tryHold('k', 10)).rejects.toSatisfy(isClosed)
    expect(() => channel.subscribe(() => {})).toThrow(ChannelError)
  },
}

/** All laws of channels, each in a fresh place. */
export function channelLaws(name: string, makePlace: () => Promise<{ open: Open }>): void {
  describe(`${name} keeps the laws of channels:`, () => {
    for (const [law, holds] of Object.entries(CHANNEL_LAWS)) {
      test(law, async () => holds((await makePlace()).open))
    }
  })
}

/** A test's server, started before and stopped after it. */
export function withServer<S extends { stop(): Promise<void> }>(start: () => Promise<S>): () => S {
  let server: S | undefined
  beforeAll(async () => {
    server = await start()
  })
  afterAll(async () => {
    await server?.stop()
  })
  return () => server!
}
