import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { IdError, type LeaseGrant, layouts, MemoryLeaseStore, Snowflake } from '../src/index.ts'
import { tickOf } from '../src/layout.ts'
import { expectDisjoint } from './lease-store-laws.ts'

const START = 1_750_000_000_000
/** Two workers and two ids a tick: everybody is always short of everything. */
const layout = { ...layouts.ashlar, datacenterBits: 0, workerBits: 1, sequenceBits: 1 }
const PROCESSES = 4

/** What may happen: each names the process it happens to and how much. */
const event = fc.record({
  kind: fc.constantFrom('acquire', 'acquire', 'make', 'make', 'make', 'renew', 'release', 'crash'),
  process: fc.nat({ max: PROCESSES - 1 }),
  /** Time that passes before, in milliseconds: pauses are events with much of it. */
  passes: fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 3 }) },
    { weight: 1, arbitrary: fc.nat({ max: 400 }) },
  ),
  /** What the process's own clock is off by from now on. */
  skew: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: -300, max: 300 }) },
    { weight: 1, arbitrary: fc.integer({ min: -3_600_000, max: 3_600_000 }) },
  ),
  /** What the store's clock jumps by. */
  jump: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: -500, max: 500 })),
  loses: fc.boolean(),
  count: fc.nat({ max: 12 }),
})
type Plan = (typeof event extends fc.Arbitrary<infer T> ? T : never)[]

interface Process {
  grant: LeaseGrant
  untilTick: number
  readonly ids: Snowflake
  stop: () => number
}

/** What a run brought forth. */
interface Run {
  readonly ids: bigint[]
  readonly outside: bigint[]
  readonly grants: LeaseGrant[]
}

/** Runs a plan; `breakIt` changes a grant before its holder uses it. */
async function play(
  plan: Plan,
  breakIt: (grant: LeaseGrant) => LeaseGrant = (grant) => grant,
): Promise<Run> {
  let now = START
  let storeSkew = 0
  const skews = new Array(PROCESSES).fill(0)
  const store = new MemoryLeaseStore({ layout, maxTtlMs: 300, now: () => now + storeSkew })
  const processes: (Process | undefined)[] = new Array(PROCESSES).fill(undefined)
  const run: Run = { ids: [], outside: [], grants: [] }
  const begin = (grant: LeaseGrant, at: number): Process => {
    const life = { grant, untilTick: grant.untilTick, stop: () => 0 }
    const lease = {
      layout: store.layout,
      workerId: grant.workerId,
      fromTick: grant.fromTick,
      renewalMs: undefined,
      get untilTick() {
        return life.untilTick
      },
      claim: (stop: () => number) => {
        life.stop = stop
      },
    }
    const ids = new Snowflake({ lease, maxHoldMs: 1e9, maxLeadMs: 40, now: () => now + skews[at] })
    return Object.assign(life, { ids })
  }
  for (const { kind, process: at, passes, skew, jump, loses, count } of plan) {
    now += passes
    skews[at] = skew
    storeSkew += jump
    const process = processes[at]
    if (kind === 'acquire' && process === undefined) {
      const grant = await optional(store.acquire(`p${at}`, 250))
      // A lost reply: the store has granted, the process has nothing.
      if (grant !== undefined) run.grants.push(grant)
      if (grant !== undefined && !loses) processes[at] = begin(breakIt(grant), at)
    }
    if (process === undefined) continue
    if (kind === 'crash') processes[at] = undefined
    if (kind === 'renew') {
      const renewed = await optional(store.renew(process.grant, 250))
      if (renewed !== undefined) run.grants[run.grants.length] = renewed
      if (renewed !== undefined && !loses) process.untilTick = breakIt(renewed).untilTick
    }
    if (kind === 'make') make(process, count, run)
    if (kind === 'release') {
      await store.release(process.grant, process.stop())
      make(process, count, run)
      processes[at] = undefined
    }
  }
  return run
}

function make(process: Process, count: number, run: Run): void {
  for (let i = 0; i < count; i++) {
    try {
      const id = process.ids.next()
      const tick = tickOf(layout, process.ids.decode(id).timestamp)
      run.ids.push(id)
      if (tick < process.grant.fromTick || tick >= process.untilTick) run.outside.push(id)
    } catch (error) {
      if (!(error instanceof IdError)) throw error
    }
  }
}

async function optional<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof IdError) return undefined
    throw error
  }
}

/** Of each worker and token the longest grant: renewals are the same grant, longer. */
function longest(grants: readonly LeaseGrant[]): LeaseGrant[] {
  const byHolder = new Map<string, LeaseGrant>()
  for (const grant of grants) {
    const key = `${grant.workerId} ${grant.token}`
    const known = byHolder.get(key)
    if (known === undefined || known.untilTick < grant.untilTick) byHolder.set(key, grant)
  }
  return [...byHolder.values()]
}

describe('leased generators', () => {
  const plans = fc.array(event, { minLength: 10, maxLength: 150, size: 'max' })

  test.prop([plans], { numRuns: 300 })(
    'never collide under any clocks, pauses, crashes and lost replies',
    async (plan) => {
      const { ids, outside } = await play(plan)
      expect(new Set(ids).size).toBe(ids.length)
      expect(outside).toEqual([])
    },
  )

  test.prop([plans.map((plan) => plan.filter(({ kind }) => kind !== 'release'))])(
    'have disjoint ranges of ticks',
    async (plan) => {
      expectDisjoint(longest((await play(plan)).grants))
    },
  )

  test('make ids at all in such runs', async () => {
    let made = 0
    for (const plan of fc.sample(plans, { numRuns: 50, seed: 5 }))
      made += (await play(plan)).ids.length
    expect(made).toBeGreaterThan(500)
  })
})

describe('broken leases are caught', () => {
  const plans = fc.sample(fc.array(event, { minLength: 150, maxLength: 150, size: 'max' }), {
    numRuns: 30,
    seed: 11,
  })

  /** In how many runs an id came twice, or from outside of what the store granted. */
  async function caught(breakIt: (grant: LeaseGrant) => LeaseGrant): Promise<number> {
    let count = 0
    for (const plan of plans) {
      const { ids } = await play(plan, breakIt)
      if (new Set(ids).size < ids.length) count++
    }
    return count
  }

  test('one whose holder begins at the epoch instead of at fromTick', async () => {
    expect(await caught((grant) => ({ ...grant, fromTick: 0 }))).toBeGreaterThan(0)
  })

  test('one whose holder goes on for an hour after untilTick', async () => {
    const late = (grant: LeaseGrant) => ({ ...grant, untilTick: grant.untilTick + 3_600_000 })
    expect(await caught(late)).toBeGreaterThan(0)
  })

  test('and the sound one is not', async () => {
    expect(await caught((grant) => grant)).toBe(0)
  })
})
