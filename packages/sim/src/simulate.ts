// One run: sets the world up, lets the plan strike until the horizon, heals, waits for the
// clients and for what must come true after the heal, and reports. Runs of one process take
// turns, since what nobody handles can be put down to one run only if it is the only one.

import type { Coverage } from './coverage.ts'
import { type Drain, drive, macrotask, resolveDrain } from './drain.ts'
import type { Fault, FaultKind } from './fault.ts'
import { checkKinds, checkPlan } from './fault-shape.ts'
import type { HistoryEvent } from './history.ts'
import { Injector } from './injector.ts'
import { Machines } from './machines.ts'
import { drawPlan, type Profile } from './plan.ts'
import { watchRejections } from './rejection-watch.ts'
import { Scenario, type WorldSetup } from './scenario.ts'
import { SimError, show } from './sim-error.ts'
import { type ReplayOptions, replayLine, SimulationFailure } from './simulation-failure.ts'
import { World } from './world.ts'

/** What a run is made from. */
export interface SimulateOptions {
  /** An integer from 0 to 2^53 − 1; everything random follows from it. */
  readonly seed: number
  /** The plan. Default: drawn from the seed as `profile` says. */
  readonly faults?: readonly Fault[] | undefined
  /** How the plan is drawn. Default: 'mixed' or 'swarm', as the seed says. */
  readonly profile?: Profile | undefined
  /** The kinds of faults to draw from. Default all. */
  readonly kinds?: readonly FaultKind[] | undefined
  /** When the faults stop, in milliseconds of virtual time. Default 5,000. */
  readonly horizonMs?: number | undefined
  /** How microtasks are drained. Default 'auto'; the run is the same with each. */
  readonly drain?: Drain | undefined
  /** What wall clocks say at the beginning. Default 1,700,000,000,000 (14 November 2023). */
  readonly epochMs?: number | undefined
  /** How likely a `buggify` label is switched on. Default 0.25, or 0 if the profile is 'calm'. */
  readonly buggify?: number | undefined
  /** How long clients may go on after the heal. Default 60,000 ms of virtual time. */
  readonly settleMs?: number | undefined
  /** After how many events a run is taken to go round in circles. Default 2,000,000. */
  readonly maxEvents?: number | undefined
}

/** What a run that kept all its promises was like. */
export interface SimulationReport {
  readonly seed: number
  /** 64 bits as 16 hexadecimal digits: equal hashes, equal runs. */
  readonly hash: string
  readonly history: readonly HistoryEvent[]
  readonly events: number
  readonly simulatedMs: number
  /** The plan. */
  readonly faults: readonly Fault[]
  /** How often each kind of fault had an effect: messages lost, crashes, failed reads, … */
  readonly injected: Readonly<Record<FaultKind, number>>
  readonly coverage: Coverage
  /** The line that replays the run. */
  readonly replay: string
}

/**
 * Runs a world under faults, all of it decided by the seed.
 *
 * @throws {SimulationFailure} (rejects) when the run breaks a promise of the scenario.
 * @throws {SimError} (rejects) for options, a scenario or a plan that cannot be.
 * @example
 * const report = await simulate({ seed: 1, horizonMs: 1000 }, (s) => {
 *   s.node('echo', (env) => env.onMessage((message, from) => env.send(from, message)))
 *   s.client('c', async (env) => { env.send('echo', 'hello'); await env.sleep(100) })
 * })
 */
export async function simulate(
  options: SimulateOptions,
  world: WorldSetup,
): Promise<SimulationReport> {
  if (isInRun) {
    throw new SimError('ERR_SIM_NESTED', 'simulate was called by code that is being simulated')
  }
  const before = turn
  let pass = () => {}
  turn = new Promise((resolve) => {
    pass = resolve
  })
  await before
  try {
    return await run(options, world)
  } finally {
    pass()
  }
}

let turn: Promise<void> = Promise.resolve()
let isInRun = false

const DEFAULT_BUGGIFY = 0.25

async function run(options: SimulateOptions, setUp: WorldSetup): Promise<SimulationReport> {
  const { seed, horizonMs = 5000, settleMs = 60_000 } = options
  const buggify = options.buggify ?? (options.profile === 'calm' ? 0 : DEFAULT_BUGGIFY)
  checkAmount('horizonMs', horizonMs, 1e9)
  checkAmount('settleMs', settleMs, 1e9)
  checkAmount('buggify', buggify, 1)
  const drain = await resolveDrain(options.drain ?? 'auto')
  const world = new World({
    seed: checkInteger('seed', seed),
    epochMs: checkInteger('epochMs', options.epochMs ?? 1_700_000_000_000),
    maxEvents: checkInteger('maxEvents', options.maxEvents ?? 2_000_000),
    buggify,
    isBare: drain === 'none',
  })
  const machines = new Machines(world)
  const scenario = new Scenario(world, machines, horizonMs)
  const returned: unknown = setUp(scenario)
  if (returned instanceof Promise) {
    throw new SimError('ERR_SIM_SCENARIO', 'the function that sets a world up must not be async')
  }
  const { nodes, clients, checks } = scenario.close()
  const plan = planOf(options, horizonMs, nodes, clients)
  const injector = new Injector(world, machines)
  injector.enter(plan, horizonMs)
  world.task(world.system, Math.round(horizonMs * 1000), 'the horizon', () => {
    injector.heal()
    for (const check of checks) check.begin()
    expectEnd(world, clients, settleMs)
  })
  await drivePrivately(world, drain)
  for (const actor of world.actors.values()) actor.life.isAlive = false
  world.judge()
  return conclude(world, {
    seed,
    horizonMs,
    faults: plan,
    ...(buggify === DEFAULT_BUGGIFY ? {} : { buggify }),
  })
}

function planOf(
  { seed, faults, profile, kinds }: SimulateOptions,
  horizonMs: number,
  nodes: ReadonlySet<string>,
  clients: ReadonlySet<string>,
): readonly Fault[] {
  if (kinds !== undefined) checkKinds(kinds)
  const plan =
    faults ??
    drawPlan(seed, { nodes: [...nodes], clients: [...clients], horizonMs, profile, kinds })
  checkPlan(plan, nodes, new Set([...nodes, ...clients]))
  return plan
}

/** Drives the run while everything that nobody handles is put down to it. */
async function drivePrivately(world: World, drain: Exclude<Drain, 'auto'>): Promise<void> {
  const restore = watchRejections((error) => world.rejected(error))
  let isUnsettled = false
  const steps = {
    next: () => {
      isInRun = true
      isUnsettled = world.next()
      return isUnsettled
    },
    settle: () => {
      isInRun = false
      if (isUnsettled) world.settle()
      isUnsettled = false
    },
    leave: () => {
      isInRun = false
    },
  }
  try {
    await drive(steps, drain)
    // A browser reports an unhandled rejection in a task of its own, after the microtasks.
    await new Promise<void>((resolve) => macrotask(resolve))
  } finally {
    isInRun = false
    restore()
  }
}

/** Clients that go on for ever, or wait for what never comes, end the run by name. */
function expectEnd(world: World, clients: ReadonlySet<string>, settleMs: number): void {
  const atUs = world.nowUs + Math.round(settleMs * 1000)
  world.task(world.system, atUs, 'time for clients is over', () => {
    const late = [...clients].filter((id) => world.open.has(id))
    if (late.length === 0) return
    const isStuck = !world.heap.some((actor) => actor.role !== 'world')
    const names = late.map(show).join(', ')
    world.fail({
      code: 'ERR_SIM_HANGS',
      subject: late.join(', '),
      why: isStuck
        ? `client ${names} waits for a promise that never settles`
        : `client ${names} did not end within ${settleMs} ms (settleMs) of the heal`,
    })
  })
}

function conclude(world: World, replay: ReplayOptions): SimulationReport {
  const { finding, trace, nowUs, events, injected, reached, awaited } = world
  const hash = trace.hash.digest()
  if (finding !== undefined) {
    const remains = { trace: trace.lines(), hash }
    throw new SimulationFailure(finding, replay, nowUs / 1000, remains)
  }
  const names = [...reached, ...awaited.map(({ name }) => name)]
  return {
    seed: replay.seed,
    hash,
    history: world.recorder.events,
    events,
    simulatedMs: nowUs / 1000,
    faults: replay.faults,
    injected,
    coverage: {
      sometimes: new Map(names.map((name) => [name, reached.has(name) ? 1 : 0])),
      buggify: world.buggify.counts,
    },
    replay: replayLine(replay),
  }
}

function checkInteger(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  const rule = `${name} must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`
  throw new SimError('ERR_SIM_OPTION', `${rule}, got ${show(value)}`)
}

function checkAmount(name: string, value: number, max: number): void {
  if (typeof value === 'number' && value >= 0 && value <= max) return
  const rule = `${name} must be a number from 0 to ${max}`
  throw new SimError('ERR_SIM_OPTION', `${rule}, got ${show(value)}`)
}
