import { describe, expect, test } from 'vitest'
import { type ShareOptions, shareBreaker } from '../src/channels/index.ts'
import { BreakerError } from '../src/index.ts'
import { encodeShareMessage } from '../src/share-message.ts'
import { fails, Group, gets, hung, settle, trip } from './share-group.ts'

describe('breakers that share', () => {
  test('open when one opens, for what is left of its time, and backed off as far', async () => {
    const group = new Group()
    const [a, b] = [group.join(), group.join()]
    await trip(a.breaker)
    expect(b.breaker.state).toBe('open')
    expect(b.breaker.remainingOpenMs).toBe(1_000)
    expect(b.breaker.generation).toBe(a.breaker.generation)
    expect(b.breaker.snapshot().openings).toBe(1)
    expect(await gets(b.breaker)).toBe(false)
  })

  test('send one prober, and close when its probe is well', async () => {
    const group = new Group()
    const [a, b] = [group.join(), group.join()]
    await trip(a.breaker)
    group.time.pass(1_000)
    const asked = [gets(a.breaker), gets(b.breaker)]
    expect(await Promise.all(asked)).toEqual([false, false])
    await settle()
    expect([a.shared.holdsProbe, b.shared.holdsProbe].filter(Boolean)).toHaveLength(1)
    const [prober, other] = a.shared.holdsProbe ? [a, b] : [b, a]
    expect(await gets(other.breaker)).toBe(false)
    expect(await gets(prober.breaker)).toBe(true)
    await settle()
    expect([a.breaker.state, b.breaker.state]).toEqual(['closed', 'closed'])
    expect(prober.shared.holdsProbe).toBe(false)
    expect(await group.channel.tryHold('billing', 1)).not.toBeNull()
  })

  test('open again when its probe fails, the others without a probe of theirs', async () => {
    const group = new Group()
    const [a, b] = [group.join(), group.join()]
    await trip(a.breaker)
    group.time.pass(1_000)
    await gets(a.breaker)
    await settle()
    expect(b.breaker.state).toBe('half-open')
    expect(await gets(a.breaker, fails)).toBe(false)
    await settle()
    expect([a.breaker.state, b.breaker.state]).toEqual(['open', 'open'])
    expect(b.breaker.remainingOpenMs).toBe(2_000)
    expect(b.breaker.counts().admitted).toBe(0)
  })

  test('tell a late starter, at once', async () => {
    const group = new Group()
    const a = group.join()
    await trip(a.breaker)
    const late = group.join()
    await settle()
    expect(late.breaker.state).toBe('closed')
    group.time.pass(200)
    await settle()
    expect(late.breaker.state).toBe('open')
    expect(late.breaker.remainingOpenMs).toBe(800)
  })

  test('tell a late starter also while they wait for a probe', async () => {
    const group = new Group()
    const a = group.join()
    await trip(a.breaker)
    group.time.pass(1_000)
    expect(a.breaker.state).toBe('half-open')
    const late = group.join()
    await settle()
    group.time.pass(200)
    await settle()
    expect(late.breaker.state).toBe('half-open')
    const { generation } = a.breaker
    for (let i = 0; i < 20; i++) {
      group.time.pass(500)
      await settle()
    }
    expect(a.breaker.generation).toBe(generation)
  })

  test('say what all agree on about once per maxRepeatMs, however many they are', async () => {
    const group = new Group()
    let messages = 0
    group.channel.subscribe(() => messages++)
    for (let i = 0; i < 10; i++) group.join()
    for (let i = 0; i < 600; i++) {
      group.time.pass(100)
      await settle()
    }
    messages = 0
    for (let i = 0; i < 1_000; i++) {
      group.time.pass(100)
      await settle()
    }
    expect(messages).toBeGreaterThanOrEqual(8)
    expect(messages).toBeLessThanOrEqual(24)
  })

  test('say it at every turn if they are alone: their own words are no agreement', async () => {
    const group = new Group()
    let messages = 0
    group.channel.subscribe(() => messages++)
    group.join()
    for (let i = 0; i < 1_000; i++) {
      group.time.pass(100)
      await settle()
    }
    // 100 s: the first turns come soon, the rest every 10 s.
    expect(messages).toBeGreaterThanOrEqual(12)
    expect(messages).toBeLessThanOrEqual(18)
  })

  test('say an opening once at first: those who heard it do not echo it', async () => {
    const group = new Group()
    const [a, ...others] = Array.from({ length: 10 }, () => group.join())
    await settle()
    let messages = 0
    group.channel.subscribe(() => messages++)
    await trip(a!.breaker)
    expect(others.every(({ breaker }) => breaker.state === 'open')).toBe(true)
    expect(messages).toBe(1)
  })

  test('keep isolation to themselves', async () => {
    const group = new Group()
    const [a, b] = [group.join(), group.join()]
    const hold = b.breaker.isolate()
    await settle()
    expect(a.breaker.state).toBe('closed')
    await trip(a.breaker)
    expect([a.breaker.state, b.breaker.state]).toEqual(['open', 'isolated'])
    hold[Symbol.dispose]()
    await settle()
    expect([a.breaker.state, b.breaker.state]).toEqual(['closed', 'closed'])
  })

  test('ignore other keys, their own words and what is no message', async () => {
    const group = new Group()
    const [a, b] = [group.join(), group.join(undefined, { key: 'shipping' })]
    await trip(a.breaker)
    expect(b.breaker.state).toBe('closed')
    const { signal } = new AbortController()
    const poison = { v: 1, key: 'shipping', from: 'x', to: 'open', gen: Number.NaN, ms: -1, n: 0 }
    for (const text of ['', '{', 'null', JSON.stringify(poison), '\0']) {
      await group.channel.publish(text, { signal })
    }
    expect(b.breaker.state).toBe('closed')
    expect(group.errors).toEqual([])
  })

  test('open for no longer than their own maxMs, whatever they are told', async () => {
    const group = new Group()
    const { breaker } = group.join()
    const told = { key: 'billing', from: 'x', to: 'open', generation: 9 } as const
    const text = encodeShareMessage({ ...told, remainingMs: 1e12, openings: 1 })
    await group.channel.publish(text, { signal: new AbortController().signal })
    expect(breaker.remainingOpenMs).toBe(10_000)
  })
})

describe('the end of sharing', () => {
  test('leaves no listener, timer, gate or hold, and is safe twice', async () => {
    const group = new Group()
    const { breaker, shared } = group.join()
    await trip(breaker)
    group.time.pass(1_000)
    await gets(breaker)
    await settle()
    expect(shared.holdsProbe).toBe(true)
    await shared.close()
    await shared.close()
    shared[Symbol.dispose]()
    expect(group.time.pending).toBe(0)
    expect(breaker.probeGate).toBeUndefined()
    expect(await group.channel.tryHold('billing', 1)).not.toBeNull()
    const told: string[] = []
    group.channel.subscribe((message) => told.push(message))
    expect(await gets(breaker)).toBe(true)
    await settle()
    expect(told).toEqual([])
  })

  test('waits for no store that does not answer', async () => {
    const group = new Group()
    const { breaker, shared } = group.join(hung)
    await trip(breaker)
    group.time.pass(1_000)
    await gets(breaker)
    await shared.close()
    expect(group.time.pending).toBe(0)
    expect(breaker.state).toBe('half-open')
    expect(await gets(breaker)).toBe(true)
  })

  test('lets the breaker be shared again', async () => {
    const group = new Group()
    const { breaker, shared } = group.join()
    expect(() => group.share(breaker)).toThrow(BreakerError)
    await shared.close()
    await using again = group.share(breaker)
    expect(again.holdsProbe).toBe(false)
  })
})

test('wrong options are refused by name', () => {
  const group = new Group()
  const wrong: [keyof ShareOptions, unknown][] = [
    ['key', 'x'.repeat(513)],
    ['key', 7],
    ['probeTtlMs', 0],
    ['maxWaitMs', Number.NaN],
    ['timeoutMs', -1],
    ['minRepeatMs', Number.POSITIVE_INFINITY],
    ['maxRepeatMs', '5'],
    ['monotonic', 5],
    ['random', 0.5],
    ['onError', 'log'],
  ]
  for (const [option, given] of wrong) {
    const options: ShareOptions = { [option]: given }
    expect(() => shareBreaker(group.breaker(), group.channel, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option }),
    )
  }
})
