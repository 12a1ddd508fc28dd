// What every far store promises, whatever keeps it. `open` makes one more store to the same place,
// as another process would; `evict` forgets something, as a store under pressure does.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { Store, StoredValue, StoreLease } from '../src/tiered/store.ts'

/** A place where values are kept. */
export interface StorePlace {
  readonly open: () => Store
  /** Forgets one of the things that it keeps, as a number chooses. */
  readonly evict: (choice: number) => Promise<void>
  readonly wait: (ms: number) => Promise<void>
}

const LEASE = { leaseMs: 20_000 }
const FILL = { ttlMs: 30_000, tags: [] }
const NASTY = [
  '',
  '__proto__',
  'constructor',
  '\ud800',
  '\udfff',
  '�',
  'a\0b',
  '漢字 "\'\\ :',
  'k:',
]

/** A lease that must be granted. */
export async function granted(store: Store, key: string, mode = 'join' as const) {
  const reply = await store.lease(key, { mode, ...LEASE })
  if (reply.kind !== 'granted') throw new Error(`no lease but ${reply.kind}`)
  return reply.lease
}

async function read(store: Store, key: string): Promise<string | undefined> {
  return (await store.get(key, { isTagged: false }))?.text
}

async function put(store: Store, key: string, text: string, tags: readonly string[] = []) {
  return await store.fill(await granted(store, key), text, { ...FILL, tags })
}

export const STORE_LAWS: Readonly<Record<string, (place: StorePlace) => Promise<void>>> = {
  'what is filled under a lease is read by all, with what is left of its time': async (place) => {
    const [a, b] = [place.open(), place.open()]
    expect(await read(a, 'k')).toBeUndefined()
    expect(await put(a, 'k', 'one\ntwo 1 - ünï')).toBe(true)
    const found = (await b.get('k', { isTagged: false })) as StoredValue
    expect(found).toMatchObject({ text: 'one\ntwo 1 - ünï', tags: [] })
    expect(found.leftMs).toBeGreaterThan(25_000)
    expect(found.leftMs).toBeLessThanOrEqual(30_000)
    expect(await b.lease('k', { mode: 'join', ...LEASE })).toMatchObject({ kind: 'hit' })
  },

  'every string is a key of its own': async (place) => {
    const store = place.open()
    for (const key of NASTY)
      expect(await put(store, key, `of ${key.length} ${escape(key)}`)).toBe(true)
    for (const key of NASTY) expect(await read(store, key)).toBe(`of ${key.length} ${escape(key)}`)
  },

  'one loads a key, and others are told so': async (place) => {
    const [a, b] = [place.open(), place.open()]
    const lease = await granted(a, 'k')
    expect(await b.lease('k', { mode: 'join', ...LEASE })).toEqual({ kind: 'busy' })
    await a.release(lease)
    await granted(b, 'k')
  },

  'a lease that another has taken fills nothing, nor frees what the other has': async (place) => {
    const [a, b] = [place.open(), place.open()]
    const slow = await granted(a, 'k')
    const reply = await b.lease('k', { mode: 'take', ...LEASE })
    expect(await a.fill(slow, 'slow', FILL)).toBe(false)
    await a.release(slow)
    expect(await a.lease('k', { mode: 'join', ...LEASE })).toEqual({ kind: 'busy' })
    if (reply.kind === 'granted') expect(await b.fill(reply.lease, 'fast', FILL)).toBe(true)
    expect(await read(a, 'k')).toBe('fast')
  },

  'a lease fills once': async (place) => {
    const store = place.open()
    const lease = await granted(store, 'k')
    expect(await store.fill(lease, 'one', FILL)).toBe(true)
    expect(await store.fill(lease, 'two', FILL)).toBe(false)
    expect(await read(store, 'k')).toBe('one')
  },

  'a refill that began before a delete never writes': async (place) => {
    const [a, b] = [place.open(), place.open()]
    const lease = await granted(a, 'k')
    await b.change({ keys: ['k'], tags: [] })
    expect(await a.fill(lease, 'old', FILL)).toBe(false)
    // A request for a lease that arrives again after the delete is another lease.
    await granted(a, 'k')
    expect(await a.fill(lease, 'old', FILL)).toBe(false)
    expect(await read(b, 'k')).toBeUndefined()
  },

  'of a write whose lease stands the value is stored': async (place) => {
    const store = place.open()
    await put(store, 'k', 'old')
    const reply = await store.lease('k', { mode: 'write', ...LEASE })
    if (reply.kind !== 'granted') throw new Error('a write is always granted')
    expect(await read(store, 'k')).toBe('old')
    await store.commit(reply.lease, 'new', FILL)
    expect(await read(store, 'k')).toBe('new')
  },

  'of two writes at once neither is left behind': async (place) => {
    const [a, b] = [place.open(), place.open()]
    const replies = [
      await a.lease('k', { mode: 'write', ...LEASE }),
      await b.lease('k', { mode: 'write', ...LEASE }),
    ]
    const [first, second] = replies.map((reply) => (reply as { lease: StoreLease }).lease)
    // The second wrote to the origin first, so that what the first wrote is there now.
    await b.commit(second!, 'second', FILL)
    await a.commit(first!, 'first', FILL)
    expect(await read(a, 'k')).toBeUndefined()
  },

  'a tag that is invalidated voids all its values, also those on their way': async (place) => {
    const store = place.open()
    const tags = ['t,1', '\ud800', 'ü %']
    await put(store, 'a', 'A', tags)
    await put(store, 'b', 'B', ['other'])
    expect(await store.get('a', { isTagged: true })).toMatchObject({ text: 'A' })
    const way = await granted(store, 'c')
    await store.change({ keys: [], tags: ['t,1'] })
    expect(await store.fill(way, 'C', { ...FILL, tags: ['t,1'] })).toBe(false)
    for (const isTagged of [true, false]) {
      expect(await store.get('a', { isTagged })).toBeUndefined()
      expect(await store.get('b', { isTagged })).toMatchObject({ text: 'B', tags: ['other'] })
    }
    expect(await store.lease('a', { mode: 'join', ...LEASE })).toMatchObject({ kind: 'granted' })
    expect(await put(store, 'c', 'C', ['t,1'])).toBe(true)
    expect(await read(store, 'c')).toBe('C')
  },

  'a tag that nobody used yet is refused if anything changed meanwhile': async (place) => {
    const store = place.open()
    const lease = await granted(store, 'k')
    await store.change({ keys: ['else'], tags: [] })
    expect(await store.fill(lease, 'K', { ...FILL, tags: ['new'] })).toBe(false)
    expect(await put(store, 'k', 'K', ['new'])).toBe(true)
  },

  'clear voids all, and all leases': async (place) => {
    const store = place.open()
    await put(store, 'a', 'A')
    const lease = await granted(store, 'b')
    const before = await store.position()
    const after = await store.clear()
    expect(after.epoch).not.toBe(before.epoch)
    expect(await read(store, 'a')).toBeUndefined()
    expect(await store.fill(lease, 'B', FILL)).toBe(false)
    expect(await read(store, 'b')).toBeUndefined()
  },

  'each change follows on the one before': async (place) => {
    const [a, b] = [place.open(), place.open()]
    let last = (await a.position()).version
    for (let i = 0; i < 4; i++) {
      const store = i % 2 === 0 ? a : b
      const { previous, version, epoch } =
        i === 2
          ? await store.commit(await granted(store, 'k'), 'K', FILL)
          : await store.change({ keys: ['k'], tags: [] })
      expect(previous).toBe(last)
      expect(version).toBeGreaterThan(last)
      expect(await b.position()).toEqual({ epoch, version })
      last = version
    }
  },

  'time counts from the lease, not from the fill': async (place) => {
    const store = place.open()
    const lease = await granted(store, 'k')
    const other = await granted(store, 'other')
    await place.wait(120)
    expect(await store.fill(lease, 'K', { ttlMs: 100, tags: [] })).toBe(false)
    expect(await store.fill(other, 'O', { ttlMs: 250, tags: [] })).toBe(true)
    expect((await store.get('other', { isTagged: false }))?.leftMs ?? 0).toBeLessThanOrEqual(130)
    await place.wait(140)
    expect(await read(store, 'other')).toBeUndefined()
  },

  'a lease ends by itself': async (place) => {
    const store = place.open()
    const reply = await store.lease('k', { mode: 'join', leaseMs: 60 })
    await place.wait(80)
    if (reply.kind === 'granted') expect(await store.fill(reply.lease, 'K', FILL)).toBe(false)
    await granted(store, 'k')
  },
}

/** All laws of stores, each in a place of its own. */
export function storeLaws(name: string, makePlace: () => StorePlace, runs: number): void {
  describe(`${name} keeps the laws of stores:`, () => {
    for (const [law, holds] of Object.entries(STORE_LAWS)) test(law, () => holds(makePlace()))

    test('nothing that was invalidated is read, whatever is forgotten', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), (steps) =>
          followSteps(makePlace(), steps),
        ),
        { numRuns: runs, seed: 20_261_121 },
      )
    })
  })
}

const KEYS = ['a', 'b', '\ud800']
const TAGS = ['t', 'u']
const below = (n: number) => fc.nat({ max: n - 1 })
export const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ f: fc.constant('begin' as const), key: below(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      f: fc.constantFrom('fill' as const, 'commit' as const),
      which: fc.nat(),
      tags: fc.subarray(TAGS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ f: fc.constant('delete' as const), key: below(3) }) },
  { weight: 2, arbitrary: fc.record({ f: fc.constant('tag' as const), tag: below(2) }) },
  { weight: 1, arbitrary: fc.record({ f: fc.constant('clear' as const) }) },
  { weight: 2, arbitrary: fc.record({ f: fc.constant('evict' as const), which: fc.nat() }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** A lease, and when it was granted. */
interface Written {
  readonly lease: StoreLease
  readonly begun: number
}

/** Follows some steps, and reads everything after each of them. */
export async function followSteps(place: StorePlace, steps: readonly Step[]): Promise<void> {
  const [a, b] = [place.open(), place.open()]
  const open: Written[] = []
  const known = new Map<string, { readonly begun: number; readonly tags: readonly string[] }>()
  const invalidated = new Map<string, number>()
  let now = 0
  for (const one of steps) {
    now++
    const store = now % 2 === 0 ? a : b
    if (one.f === 'begin') {
      const reply = await store.lease(KEYS[one.key]!, { mode: 'write', ...LEASE })
      const lease = (reply as { lease: StoreLease }).lease
      open.push({ lease, begun: now })
    } else if (one.f === 'fill' || one.f === 'commit') {
      const written = open[one.which % Math.max(1, open.length)]
      if (written === undefined) continue
      const { lease, begun } = written
      const { tags } = one
      const text = `${now}`
      known.set(text, { begun, tags })
      if (one.f === 'fill') await store.fill(lease, text, { ...FILL, tags })
      else await store.commit(lease, text, { ...FILL, tags })
    } else if (one.f === 'delete') {
      invalidated.set(`key ${KEYS[one.key]}`, now)
      await store.change({ keys: [KEYS[one.key]!], tags: [] })
    } else if (one.f === 'tag') {
      invalidated.set(`tag ${TAGS[one.tag]}`, now)
      await store.change({ keys: [], tags: [TAGS[one.tag]!] })
    } else if (one.f === 'clear') {
      for (const key of KEYS) invalidated.set(`key ${key}`, now)
      const change = await store.clear()
      for (const each of [a, b]) each.heard?.(change)
    } else await place.evict(one.which)
    for (const key of KEYS) {
      const text = await read(store, key)
      if (text === undefined) continue
      const { begun, tags } = known.get(text)!
      const names = [`key ${key}`, ...tags.map((tag) => `tag ${tag}`)]
      for (const name of names) expect(invalidated.get(name) ?? 0).toBeLessThan(begun)
    }
  }
}
