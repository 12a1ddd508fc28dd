import { describe, expect, test } from 'vitest'
import { type BreakerChannel, ChannelError, type ProbeHold } from '../src/channels/index.ts'
import { decodeShareMessage } from '../src/share-message.ts'
import { down, Group, gets, hung, settle, trip } from './share-group.ts'

describe('a shared breaker without its store', () => {
  test('goes on by itself, and reports what failed', async () => {
    const group = new Group()
    const { breaker } = group.join(down)
    await trip(breaker)
    expect(breaker.state).toBe('open')
    group.time.pass(1_000)
    await gets(breaker)
    await settle()
    expect(await gets(breaker)).toBe(true)
    expect(breaker.state).toBe('closed')
    expect(group.errors.length).toBeGreaterThan(1)
  })

  test('waits timeoutMs for a store that does not answer, with one request at a time', async () => {
    const group = new Group()
    let requests = 0
    const channel: BreakerChannel = {
      ...hung,
      tryHold: () => {
        requests++
        return hung.tryHold('', 0)
      },
    }
    const { breaker, shared } = group.join(channel)
    await trip(breaker)
    group.time.pass(1_000)
    expect(await gets(breaker)).toBe(false)
    group.time.pass(1_999)
    expect(await gets(breaker)).toBe(false)
    group.time.pass(1)
    expect(await gets(breaker)).toBe(true)
    await settle()
    expect(requests).toBe(1)
    const codes = group.errors.map((error) => error instanceof ChannelError && error.code)
    expect(new Set(codes)).toEqual(new Set(['TIMEOUT']))
    await shared.close()
    expect(group.time.pending).toBe(0)
  })

  test('throws nothing into calls, even if the channel and onError throw', async () => {
    const group = new Group()
    const angry = () => {
      throw new Error('angry')
    }
    const channel = { publish: angry, subscribe: () => () => {}, tryHold: angry }
    const { breaker, shared } = group.join(channel, { onError: angry })
    await trip(breaker)
    group.time.pass(1_000)
    await gets(breaker)
    await settle()
    expect(await gets(breaker)).toBe(true)
    await shared.close()
  })

  test('keeps at most one message under way', async () => {
    const group = new Group()
    let published = 0
    const channel: BreakerChannel = {
      ...hung,
      publish: () => {
        published++
        return hung.publish('', { signal: new AbortController().signal })
      },
    }
    const { breaker } = group.join(channel)
    for (let i = 0; i < 20; i++) {
      await trip(breaker)
      breaker.reset()
      await settle()
    }
    expect(published).toBe(1)
  })
})

describe('the right to probe', () => {
  test('is free again after its time, if the holder died', async () => {
    const group = new Group()
    const a = group.join()
    await trip(a.breaker)
    expect(await group.channel.tryHold('billing', 5_000)).not.toBeNull()
    group.time.pass(1_000)
    let waitedMs = 0
    while (!(await gets(a.breaker))) {
      await settle()
      group.time.pass(100)
      waitedMs += 100
      expect(waitedMs).toBeLessThan(7_000)
    }
    expect(waitedMs).toBeGreaterThanOrEqual(4_000)
  })

  test('is not waited for longer than maxWaitMs', async () => {
    const group = new Group()
    await group.channel.tryHold('billing', Number.POSITIVE_INFINITY)
    const a = group.join(undefined, { maxWaitMs: 4_000 })
    await trip(a.breaker)
    group.time.pass(1_000)
    expect(await gets(a.breaker)).toBe(false)
    await settle()
    group.time.pass(3_999)
    expect(await gets(a.breaker)).toBe(false)
    await settle()
    group.time.pass(1)
    expect(await gets(a.breaker)).toBe(true)
  })

  test('ends by our own clock, also if the store thinks otherwise', async () => {
    const group = new Group()
    let isFree = true
    const channel: BreakerChannel = {
      ...down,
      publish: async () => {},
      tryHold: async () => {
        const hold: ProbeHold | null = isFree ? { release: async () => {} } : null
        isFree = false
        return hold
      },
    }
    const { breaker, shared } = group.join(channel, { probeTtlMs: 1_000 })
    await trip(breaker)
    group.time.pass(1_000)
    await gets(breaker)
    await settle()
    expect(shared.holdsProbe).toBe(true)
    group.time.pass(1_000)
    expect(shared.holdsProbe).toBe(false)
    expect(await gets(breaker)).toBe(false)
  })

  test('that comes when nobody needs it any more is given back', async () => {
    const group = new Group()
    let released = 0
    let grant: (hold: ProbeHold) => void = () => {}
    const channel: BreakerChannel = {
      ...down,
      publish: async () => {},
      tryHold: () =>
        new Promise((resolve) => {
          grant = resolve
        }),
    }
    const { breaker } = group.join(channel)
    await trip(breaker)
    group.time.pass(1_000)
    await gets(breaker)
    await settle()
    breaker.reset()
    grant({ release: async () => released++ })
    await settle()
    expect(released).toBe(1)
  })

  test('is given back only after the outcome was told', async () => {
    const group = new Group()
    const seen: string[] = []
    const channel: BreakerChannel = {
      ...down,
      publish: async (text) => {
        await settle()
        const message = decodeShareMessage(text)
        if (message !== null && message.generation > 1) seen.push(message.to)
      },
      tryHold: async () => ({ release: async () => seen.push('released') }),
    }
    const { breaker } = group.join(channel)
    await trip(breaker)
    group.time.pass(1_000)
    await gets(breaker)
    await settle()
    expect(await gets(breaker)).toBe(true)
    await settle()
    await settle()
    await settle()
    expect(seen.slice(-2)).toEqual(['closed', 'released'])
  })
})
