// A process that reshards two SQLite files to three under a load of its own clients, until it is
// killed: `node sqlite-reshard-mortal.ts <folder> <course> [<step> <time>]`. With a step it kills
// itself there, by SIGKILL, when it comes to it for that time; with the step `careless` it does not
// freeze the slots that it flips: the broken twin. What its clients begin and what they are told
// goes out a line each, as it happens, so that it outlives the process.

import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Engine, type MapStore, ShardError, ShardMap, ShardRouter } from '../src/index.ts'
import { Reshard } from '../src/reshard/index.ts'
import { SqliteEngine, SqliteMapStore } from '../src/sqlite/index.ts'
import { Ledger } from './reshard-ledger.ts'
import { BOOKS, Teller } from './reshard-teller.ts'

export const DDL = [
  'CREATE TABLE accounts (id TEXT PRIMARY KEY, n INTEGER)',
  'CREATE TABLE entries (id TEXT PRIMARY KEY, account TEXT, n INTEGER)',
  'CREATE TABLE flags (id TEXT PRIMARY KEY, value TEXT)',
  'CREATE TABLE notes (id TEXT PRIMARY KEY, account TEXT)',
  'CREATE TABLE rates (id TEXT PRIMARY KEY, n INTEGER)',
]

export const MAP: ShardMap = ShardMap.create({ slots: 48, shards: ['a', 'b'], tables: BOOKS })

export const ACCOUNTS: readonly string[] = Array.from({ length: 16 }, (_, at) => `account-${at}`)

/** What users wish for, one after the other, and the state that each waits for. */
export const COURSES = {
  done: [['reversible', 'finish']],
  aborted: [['ready', 'abort']],
  'there and back': [
    ['reversible', 'reverse'],
    ['ready', 'cutover'],
    ['reversible', 'finish'],
  ],
  'back for good': [['reversible', 'abort']],
} as const

export type CourseName = keyof typeof COURSES

/** How much clients do before the job begins, and before anything is asked of it. */
const ACTS = 30

/** The fleet in a folder: three files, of which the last is new, and the map store. */
export function fleetOf(folder: string): { engine: SqliteEngine; store: SqliteMapStore } {
  const file = (name: string) => join(folder, `${name}.db`)
  const shards = { a: file('a'), b: file('b'), c: file('c') }
  // Processes are killed here, not machines.
  const engine = new SqliteEngine({ shards, synchronous: 'off' })
  return { engine, store: new SqliteMapStore(file('map'), { pollMs: 10 }) }
}

/** Every method that a job's ledger is told by, and told again by in another process. */
const TOLD = ['begin', 'acknowledge', 'setting', 'set', 'marked', 'sawCount', 'fail'] as const

/** Repeats what a process said to a ledger. */
export function hear(ledger: Ledger, lines: readonly string[]): void {
  for (const line of lines) {
    const [what, ...told] = JSON.parse(line) as [(typeof TOLD)[number], ...unknown[]]
    if (what === 'acknowledge') {
      ledger.acknowledge(told[0] as string, new Map(told[1] as [string, number][]))
    } else {
      Reflect.apply(ledger[what], ledger, told)
    }
  }
}

/** Says what it is told. */
class SpeakingLedger extends Ledger {
  readonly #begun = new Set<string>()

  override begin(entry: string, accounts: readonly string[]): void {
    this.#begun.add(entry)
    super.begin(entry, accounts)
    say('begin', entry, accounts)
  }

  override acknowledge(entry: string, counts: ReadonlyMap<string, number>): void {
    super.acknowledge(entry, counts)
    say('acknowledge', entry, [...counts])
  }

  override setting(name: string, value: string): void {
    super.setting(name, value)
    say('setting', name, value)
  }

  override set(name: string, value: string): void {
    super.set(name, value)
    say('set', name, value)
  }

  override marked(name: string, account: string): void {
    super.marked(name, account)
    say('marked', name, account)
  }

  override sawCount(account: string, floor: number, n: number): void {
    super.sawCount(account, floor, n)
    say('sawCount', account, 0, n)
  }

  /** What processes before this one wrote is no phantom. */
  override sawEntries(ids: readonly string[], before: readonly string[]): void {
    const own = ids.filter((id) => this.#begun.has(id.split(' ')[0]!))
    super.sawEntries(own, before)
  }

  override fail(problem: string): void {
    super.fail(problem)
    say('fail', problem)
  }
}

function say(what: (typeof TOLD)[number], ...told: readonly unknown[]): void {
  writeSync(1, `${JSON.stringify([what, ...told])}\n`)
}

/** What a process does at the steps of the job. */
class Steps {
  readonly isCareless: boolean
  readonly #clients: Clients
  readonly #step: string
  readonly #time: number
  readonly #times = new Map<string, number>()

  constructor(clients: Clients, [step = '', time = '1']: readonly string[]) {
    this.#clients = clients
    this.isCareless = step === 'careless'
    this.#step = step
    this.#time = Number(time)
  }

  async reach(label: string): Promise<void> {
    const time = (this.#times.get(label) ?? 0) + 1
    this.#times.set(label, time)
    if (label === this.#step && time === this.#time) process.kill(process.pid, 'SIGKILL')
    // So that there are changes to be applied, whatever chance does; and, to a twin, to be lost.
    if (label === 'copy done') await this.#clients.countAll()
    if (label === 'save map' && this.isCareless) await this.#clients.act(ACTS)
  }
}

/** What the clients have done so far. */
class Clients {
  readonly #stop = new AbortController()
  readonly #ledger = new SpeakingLedger()
  readonly #working: Promise<void>[]
  /** One for each account. */
  readonly #counters: readonly Teller[]
  #acts = 0

  constructor(router: ShardRouter) {
    const [ledger, random] = [this.#ledger, Math.random]
    this.#counters = ACCOUNTS.map((account, at) => {
      const name = `all${process.pid}-${at}-`
      return new Teller({ name, router, ledger, random, accounts: [account], marked: [] })
    })
    this.#working = ['x', 'y', 'z'].map((name) => this.#work(router, `${name}${process.pid}-`))
  }

  /** Resolves once they have done that much more. */
  async act(count: number): Promise<void> {
    const wanted = this.#acts + count
    while (this.#acts < wanted) await sleep(1)
  }

  /** Counts once at each account. */
  async countAll(): Promise<void> {
    for (const counter of this.#counters) await counter.act('count')
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#working)
  }

  async #work(router: ShardRouter, name: string): Promise<void> {
    const [accounts, ledger, random] = [ACCOUNTS, this.#ledger, Math.random]
    const teller = new Teller({ name, router, ledger, random, accounts, marked: accounts })
    while (!this.#stop.signal.aborted) {
      await teller.act()
      this.#acts += 1
      await sleep(0)
    }
  }
}

async function live(folder: string, course: CourseName, kill: readonly string[]): Promise<void> {
  const { engine, store } = fleetOf(folder)
  const router = await ShardRouter.open({ engine, store, sweepMs: 40, inDoubtMs: 80 })
  const clients = new Clients(router)
  await clients.act(ACTS)
  const steps = new Steps(clients, kill)
  const job = await jobOf(course, told(engine, steps), saved(store, steps))
  const over = new AbortController()
  const steered = steer(folder, job, { course, clients, signal: over.signal })
  try {
    await job.run()
  } finally {
    over.abort()
  }
  await steered
  await clients.stop()
  await router.close()
  await engine.close()
  await store.close()
}

/** Made once; whoever lives later finds it, also if it has ended. */
async function jobOf(course: CourseName, engine: Engine, store: MapStore): Promise<Reshard> {
  const [made] = await store.jobs.list(1)
  const tools = { engine, store, leaseMs: 200 }
  if (made !== undefined) return Reshard.open({ ...tools, id: made.id })
  const cutover = { batchSlots: 5, maxFreezeMs: 2000, auto: course !== 'aborted' }
  return Reshard.create({ ...tools, change: { add: ['c'] }, ddl: DDL, cutover })
}

/** Wishes for what comes next, once it can be; how far that is outlives the process. */
async function steer(
  folder: string,
  job: Reshard,
  options: { readonly course: CourseName; readonly clients: Clients; readonly signal: AbortSignal },
): Promise<void> {
  const { course, clients, signal } = options
  const file = join(folder, 'wishes')
  let next = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  while (!signal.aborted) {
    await sleep(5)
    const { state, paused } = await job.status()
    if (paused !== undefined) await job.resume().catch(refused)
    const wanted = COURSES[course][next]
    if (wanted === undefined || state !== wanted[0]) continue
    await clients.act(ACTS)
    const isHeard = await job[wanted[1]]().then(() => true, refused)
    if (!isHeard) continue
    next += 1
    writeFileSync(file, String(next))
  }
}

function refused(error: unknown): false {
  if (error instanceof ShardError && error.code === 'INVALID_JOB') return false
  throw error
}

/** The engine, whose mover tells before and after each thing it does. */
function told(engine: SqliteEngine, steps: Steps): Engine {
  const mover = around(engine.mover, (name) => name, steps)
  return new Proxy(engine, {
    get: (target, name) => (name === 'mover' ? mover : bound(target, name)),
  })
}

/** The store, which tells when a job is saved. */
function saved(store: SqliteMapStore, steps: Steps): MapStore {
  const label = (name: string, [, , , options]: readonly unknown[]) => {
    const hasMap = typeof options === 'object' && options !== null && 'map' in options
    return name === 'save' && hasMap ? 'save map' : name
  }
  const jobs = around(store.jobs, label, steps)
  return new Proxy(store, {
    get: (target, name) => (name === 'jobs' ? jobs : bound(target, name)),
  })
}

function around<T extends object>(
  target: T,
  labelOf: (name: string, given: readonly unknown[]) => string,
  steps: Steps,
): T {
  return new Proxy(target, {
    get: (_, name) => {
      // A few rows are many units here.
      if (name === 'unitRows') return 6
      const method = bound(target, name)
      if (typeof method !== 'function') return method
      if (name === 'freeze' && steps.isCareless) return () => Promise.resolve()
      return async (...given: readonly unknown[]) => {
        const label = labelOf(String(name), given)
        await steps.reach(label)
        const result: unknown = await method(...given)
        await steps.reach(`${label} done`)
        return result
      }
    },
  })
}

function bound(target: object, name: string | symbol): unknown {
  const found: unknown = Reflect.get(target, name, target)
  return typeof found === 'function' ? found.bind(target) : found
}

if (import.meta.filename === process.argv[1]) {
  const [, , folder = '', course = '', ...kill] = process.argv
  await live(folder, course as CourseName, kill)
}
