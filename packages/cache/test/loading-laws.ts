// Laws of a cache that loads, as functions over what makes one, so that broken ones can be put in
// its place. What is read is the version of a key in a table; whatever takes time takes as long as
// fast-check's scheduler likes.

import { fc } from '@fast-check/vitest'
import { settle } from './loading-rig.ts'

/** What the laws need of a cache. */
export interface LoadingSubject {
  get(key: string, options?: { readonly signal?: AbortSignal }): Promise<number>
  set(key: string, value: number, options?: { readonly tags?: readonly string[] }): unknown
  delete(key: string): unknown
  invalidateTag(tag: string): void
}

/** What a load is given. */
interface SubjectContext {
  readonly signal: AbortSignal
  keep(options: { readonly tags: readonly string[] }): void
}

/** Options of a {@link LoadingSubject}. */
export interface SubjectOptions {
  readonly load: (key: string, context: SubjectContext) => Promise<number>
  readonly ttlMs: number
  readonly staleMs: number
  readonly monotonic: () => number
}

export type MakeSubject = (options: SubjectOptions) => LoadingSubject

const KEYS = ['a', '__proto__']

/** A table of which versions were current when, and loads that read it and take their time. */
class World {
  nowMs = 0
  /** Of each key the times at which its versions came, version by version. */
  readonly #births = new Map<string, number[]>()
  /** Calls under way by key, those of which a change of the key has made nothing left out. */
  readonly flying = new Map<string, Set<AbortSignal>>()
  readonly violations: string[] = []
  readonly cache: LoadingSubject
  readonly #scheduler: fc.Scheduler
  loads = 0

  constructor(scheduler: fc.Scheduler, make: MakeSubject, times: Partial<SubjectOptions>) {
    this.#scheduler = scheduler
    const monotonic = () => this.nowMs
    const load = (key: string, context: SubjectContext) => this.#load(key, context)
    this.cache = make({ load, ttlMs: Infinity, staleMs: 0, monotonic, ...times })
  }

  version(key: string): number {
    return this.#births.get(key)?.length ?? 0
  }

  /** Until when a version was current. */
  currentUntil(key: string, version: number): number {
    return this.#births.get(key)?.[version] ?? Number.POSITIVE_INFINITY
  }

  /** Another version of a key. */
  write(key: string): number {
    const births = this.#births.get(key) ?? []
    this.#births.set(key, births)
    return births.push(this.nowMs)
  }

  /** Anything that takes its time. */
  takesTime<T>(what: T, label: string): Promise<T> {
    return this.#scheduler.schedule(Promise.resolve(what), label)
  }

  require(holds: boolean, what: string): void {
    if (!holds) this.violations.push(what)
  }

  async #load(key: string, { signal, keep }: SubjectContext): Promise<number> {
    const flying = this.flying.get(key) ?? new Set()
    this.flying.set(key, flying.add(signal))
    this.loads++
    const running = [...flying].filter((one) => !one.aborted).length
    this.require(running <= 1, `${running} loads of ${key} at once`)
    keep({ tags: ['all', `of ${key}`] })
    try {
      await this.takesTime(undefined, `request ${key}`)
      const version = this.version(key)
      return await this.takesTime(version, `answer ${key} v${version}`)
    } finally {
      flying.delete(signal)
    }
  }
}

const steps = fc.array(
  fc.record({
    do: fc.constantFrom('read', 'read', 'read', 'change', 'change', 'leave'),
    key: fc.constantFrom(...KEYS),
    how: fc.constantFrom('set', 'delete', 'tag', 'every tag'),
    ms: fc.nat(8),
  }),
  { maxLength: 25, size: 'max' },
)

/** Nothing that was there before an acknowledged change is answered to who asks after it. */
export function checkChanges(make: MakeSubject, runs = 300): Promise<void> {
  return check(runs, make, {}, async (world, { key, how, do: what }) => {
    if (what === 'read') {
      const known = world.version(key)
      await world.cache.get(key).then((version) => {
        world.require(version >= known, `${key} was v${known}, v${version} was answered`)
      })
    } else if (what === 'change') {
      await world.takesTime(undefined, `write ${key}`)
      const version = world.write(key)
      // A change ends the loads that began before it, as far as the law of one load goes.
      world.flying.get(key)?.clear()
      if (how.endsWith('tag')) for (const flying of world.flying.values()) flying.clear()
      if (how === 'set') world.cache.set(key, version, { tags: ['all', `of ${key}`] })
      else if (how === 'delete') world.cache.delete(key)
      else world.cache.invalidateTag(how === 'tag' ? `of ${key}` : 'all')
    }
  })
}

/** At most one load of a key is under way, and a waiter that leaves takes nobody along. */
export function checkSingleFlight(make: MakeSubject, runs = 300): Promise<void> {
  return check(runs, make, {}, async (world, { key, do: what }) => {
    if (what === 'change') return
    const controller = new AbortController()
    const read = world.cache.get(key, { signal: controller.signal })
    if (what === 'leave') {
      void world.takesTime(undefined, 'leave').then(() => controller.abort(new Error('left')))
    }
    await read.catch((error: unknown) => {
      const hasLeft = error instanceof Error && error.message === 'left' && what === 'leave'
      world.require(hasLeft, `who waited for ${key} was told ${error}`)
    })
  })
}

/** What is answered was current at some time within ttlMs + staleMs before it was asked for. */
export function checkAge(make: MakeSubject, runs = 300): Promise<void> {
  const times = { ttlMs: 10, staleMs: 10 }
  return check(runs, make, times, async (world, { key, ms, do: what }) => {
    await world.takesTime(undefined, `${ms} ms pass`)
    world.nowMs += ms
    if (what === 'change') {
      world.write(key)
    } else {
      const askedAt = world.nowMs
      const version = await world.cache.get(key)
      const until = world.currentUntil(key, version)
      world.require(
        until >= askedAt - 20,
        `${key} v${version} was over at ${until}, not ${askedAt}`,
      )
    }
  })
}

/** A failure is answered to who waited for it and to nobody else. */
export async function checkFailures(make: MakeSubject): Promise<void> {
  let isDown = true
  let loads = 0
  const load = async () => {
    loads++
    await settle()
    if (isDown) throw new Error('down')
    return 1
  }
  const cache = make({ load, ttlMs: 10, staleMs: 10, monotonic: () => 0 })
  const fates = await Promise.allSettled([cache.get('a'), cache.get('a')])
  if (fates.some(({ status }) => status === 'fulfilled')) throw new Error('a failure was hidden')
  isDown = false
  if ((await cache.get('a')) !== 1 || loads !== 2) throw new Error('a failure was remembered')
}

type Step = typeof steps extends fc.Arbitrary<(infer T)[]> ? T : never

async function check(
  runs: number,
  make: MakeSubject,
  times: Partial<SubjectOptions>,
  run: (world: World, step: Step) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(fc.scheduler(), steps, async (scheduler, given) => {
    const world = new World(scheduler, make, times)
    const acts = given.map((step, i) =>
      scheduler.schedule(Promise.resolve(), `begin ${i}`).then(() => run(world, step)),
    )
    await scheduler.waitFor(Promise.all(acts))
    if (world.violations.length > 0) throw new Error(world.violations.join('; '))
  })
  await fc.assert(property, { numRuns: runs })
}
