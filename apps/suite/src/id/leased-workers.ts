// Generators of ids on machines whose clocks jump, drift and stand still, which crash and come
// back, and which lease their worker from a store across a faulty network; the store has a clock of
// its own, no better than theirs. No id comes twice, and no two leases of a worker share a tick.

import { checkUnique } from '@ashlar/history'
import { layouts, Snowflake, SnowflakeCodec, WorkerLease } from '@ashlar/id'
import type { Env, Scenario } from '@ashlar/sim'
import { LeaseLedger } from './lease-ledger.ts'
import { type LeaseNodeBug, leaseNode, remoteLeases } from './lease-node.ts'

/** What is broken in a variant. */
export type LeasedBug = LeaseNodeBug | 'ignores the end of its lease'

/** Few workers, so that they change hands; few ids a tick, so that ticks are borrowed. */
const LAYOUT = {
  ...layouts.twitter,
  datacenterBits: 0,
  workerBits: 1,
  sequenceBits: 3,
}
const TTL_MS = 60
const MAX_LEAD_MS = 20
const MACHINES = ['m1', 'm2', 'm3']
const codec = new SnowflakeCodec(LAYOUT)

/** What the world keeps count of. */
interface Tally {
  ids: number
  readonly ledger: LeaseLedger
}

/** The world of leased workers, right or with one bug. */
export function leasedWorkers(bug?: LeasedBug): (s: Scenario) => void {
  return (s) => {
    const tally: Tally = { ids: 0, ledger: new LeaseLedger() }
    const nodeBug = bug === 'ignores the end of its lease' ? undefined : bug
    s.node('store', (env) => {
      return leaseNode(env, LAYOUT, nodeBug, (grant) => tally.ledger.grant(grant))
    })
    for (const id of MACHINES) s.node(id, (env) => new Machine(env, bug, tally).run())
    // Nodes live for ever; the run ends when its client has waited long enough.
    s.client('patience', (env) => env.sleep(s.horizonMs))
    s.invariant('leases and ids are in order', () => tally.ledger.problem ?? true)
    s.sometimes('many ids were made', () => tally.ids > 500)
    s.judge('leases share no tick', () => tally.ledger.isDisjoint())
    s.judge('each id once', (history) => {
      const { ok, violations } = checkUnique(history, { f: 'make' })
      return ok === true || violations[0]!.message
    })
  }
}

class Machine {
  readonly #env: Env
  readonly #bug: LeasedBug | undefined
  readonly #tally: Tally
  /** The highest tick that this process has seen on its clock. */
  #seen = 0

  constructor(env: Env, bug: LeasedBug | undefined, tally: Tally) {
    this.#env = env
    this.#bug = bug
    this.#tally = tally
  }

  async run(): Promise<void> {
    const { sleep, random } = this.#env
    const store = remoteLeases(this.#env, 'store', LAYOUT)
    for (;;) {
      try {
        const { timers, id: owner } = this.#env
        const lease = await WorkerLease.acquire(store, { owner, ttlMs: TTL_MS, timers })
        await this.#use(lease)
        await lease.close()
      } catch {
        // All workers are taken, the store cannot be reached, or the lease is over.
      }
      await sleep(random() * 30)
    }
  }

  /** Makes ids for a while, in bursts, as far as lease and clock let it. */
  async #use(lease: WorkerLease): Promise<void> {
    const { now, sleep, random } = this.#env
    const endless = { ...held(lease), untilTick: Number.MAX_SAFE_INTEGER }
    const own = this.#bug === 'ignores the end of its lease' ? endless : lease
    const ids = new Snowflake({ lease: own, now, maxHoldMs: 100, maxLeadMs: MAX_LEAD_MS })
    let last = -1n
    for (let burst = 0; burst < 8; burst++) {
      for (let i = 0; i < 5; i++) {
        const operation = this.#env.invoke('make')
        const id = ids.next()
        this.#check(id, last, lease)
        last = id
        this.#tally.ids++
        operation.ok(String(id))
      }
      await sleep(random() * 20)
    }
  }

  /** Law 20, and that a holder makes nothing outside of its range. */
  #check(id: bigint, last: bigint, { workerId, fromTick, untilTick }: WorkerLease): void {
    const { ledger } = this.#tally
    const tick = codec.decode(id).timestamp - LAYOUT.epoch
    this.#seen = Math.max(this.#seen, this.#env.now() - LAYOUT.epoch, fromTick)
    if (id <= last) ledger.complain(`${id} came after ${last}`)
    if (tick > this.#seen + MAX_LEAD_MS) ledger.complain(`${id} is ahead of every clock`)
    if (tick < fromTick) ledger.complain(`${id} is before its lease`)
    // The twin that ignores the end must be caught by what comes of it.
    if (this.#bug !== 'ignores the end of its lease' && tick >= untilTick) {
      ledger.complain(`${id} is after its lease`)
    }
    ledger.use(workerId, fromTick, tick)
  }
}

function held(lease: WorkerLease) {
  const { layout, workerId, fromTick, renewalMs } = lease
  return { layout, workerId, fromTick, renewalMs, claim: lease.claim.bind(lease) }
}
