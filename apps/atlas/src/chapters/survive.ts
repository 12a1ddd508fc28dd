import { whole } from '../figure.ts'
import { isFresh, LONGEST_OPEN_MS, PROBES, TIMEOUT_MS, WINDOW } from '../fleet.ts'
import { type Happening, type Outage, suffer } from '../outage.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** The window fills with failures, of which the first is known after a timeout. */
const OPENS_WITHIN_MS = WINDOW.ms + 2 * TIMEOUT_MS

/** The longest that a breaker stays open, and a second for the probes. */
const CLOSES_WITHIN_MS = LONGEST_OPEN_MS + 1_000

/** Chapter 8: a node dies under calls and comes back; nobody waits, and nobody is misled. */
export const survive: Chapter = {
  title: 'Survive: a node dies, its breaker opens, the cache answers',
  async tell(world) {
    const { cities, ring, parts } = world
    const outage = await suffer(cities, ring, parts)
    printPhases(world, outage)
    checkWaits(world, outage)
    checkStates(world, outage)
    checkAnswers(world, outage)
    checkCounts(world, outage)
    const stale = outage.log.filter((one) => one.kind === 'call' && one.call.answer?.isStale)
    world.summary.push(
      ['calls while a node died and came back', whole(callsOf(outage.log).length)],
      ['  answered from the cache, marked as stale', whole(stale.length)],
    )
  },
}

function callsOf(log: readonly Happening[]) {
  return log.flatMap((one) => (one.kind === 'call' ? [one.call] : []))
}

/** From each thing that befell the node to the next: what became of the calls to it. */
function printPhases({ teller }: World, { node, log, killedMs, endMs }: Outage): void {
  const own = log.filter((one) => (one.kind === 'call' ? one.call.node : one.node) === node)
  const starts = own.flatMap((one, i) => (one.kind === 'call' || one.kind === 'arrival' ? [] : i))
  const rows = [-1, ...starts].map((start, i) => {
    const phase = own.slice(start + 1, starts[i])
    const calls = callsOf(phase)
    const stale = calls.filter(({ answer }) => answer?.isStale).length
    const longest = calls.reduce((most, call) => Math.max(most, call.endMs - call.startMs), 0)
    const head = own[start]
    return [
      head === undefined ? '' : whole(head.atMs - killedMs),
      textOf(head),
      whole(calls.length),
      whole(phase.length - calls.length),
      whole(calls.length - stale),
      whole(stale),
      whole(longest),
    ]
  })
  teller.line(
    `  ${whole(log.filter(({ kind }) => kind === 'call').length)} calls in ` +
      `${(endMs / 1000).toFixed(0)} simulated seconds; those to ${node.id}:`,
  )
  const right = { align: 'right' } as const
  teller.table(
    [
      { head: 'at ms', ...right },
      { head: 'what happened' },
      { head: 'calls', ...right },
      { head: 'got there', ...right },
      { head: 'fresh', ...right },
      { head: 'stale', ...right },
      { head: 'longest ms', ...right },
    ],
    rows,
  )
}

function textOf(one: Happening | undefined): string {
  if (one === undefined) return 'all is well'
  if (one.kind === 'killed') return `${one.node.id} is killed`
  if (one.kind === 'back') return `${one.node.id} is back`
  if (one.kind !== 'transition') return ''
  return one.cause === 'probes' ? `${one.to} after probes` : one.to
}

function checkWaits(world: World, { fleet, log }: Outage): void {
  const ended = callsOf(log).reduce((most, call) => Math.max(most, call.endMs - call.startMs), 0)
  const longest = Math.max(ended, fleet.longestWaitMs())
  promise(
    world,
    `no call waits longer than its timeout of ${TIMEOUT_MS} ms`,
    longest <= TIMEOUT_MS,
    `the longest has waited ${whole(longest)} ms`,
  )
}

/** Walks through the log with the state that the breaker said it was in. */
function checkStates(world: World, { node, log, killedMs, backMs }: Outage): void {
  let state = 'closed'
  let openedMs = Infinity
  let closedMs = Infinity
  let leaked = 0
  let late = 0
  let probes = 0
  let mostProbes = 0
  for (const one of log) {
    if ((one.kind === 'call' ? one.call.node : one.node) !== node) continue
    if (one.kind === 'transition') {
      state = one.to
      probes = 0
      if (state === 'open' && one.atMs >= killedMs) openedMs = Math.min(openedMs, one.atMs)
      if (state === 'closed' && one.atMs >= backMs) closedMs = Math.min(closedMs, one.atMs)
    }
    if (one.kind === 'arrival' && state === 'open') leaked++
    if (one.kind === 'arrival' && state === 'half-open') mostProbes = Math.max(mostProbes, ++probes)
    if (one.kind !== 'call') continue
    if (one.call.route === 'refused' && one.call.endMs > one.call.startMs) late++
  }
  const opensAfter = openedMs - killedMs
  promise(
    world,
    `the breaker of ${node.id} opens within ${whole(OPENS_WITHIN_MS)} ms of the kill`,
    opensAfter <= OPENS_WITHIN_MS,
    `it took ${opensAfter} ms`,
  )
  promise(
    world,
    'while it is open no call gets there, and each is refused at once',
    leaked + late === 0,
    `${whole(leaked)} got there, ${whole(late)} were kept waiting`,
  )
  promise(
    world,
    `half-open, it lets at most ${PROBES} probes through`,
    mostProbes <= PROBES,
    `${whole(mostProbes)} got there`,
  )
  promise(
    world,
    `it closes within ${whole(CLOSES_WITHIN_MS)} ms of the return`,
    closedMs - backMs <= CLOSES_WITHIN_MS,
    `it took ${closedMs - backMs} ms`,
  )
}

function checkAnswers(world: World, { node, log, fleet }: Outage): void {
  const calls = callsOf(log)
  const wrong = calls.filter((call) => !call.answer?.isStale && !isFresh(call)).length
  promise(
    world,
    'every call has an answer, which is fresh or marked as stale',
    wrong === 0,
    `${whole(wrong)} answers are old and say nothing, or are missing`,
  )
  const others = calls.filter((call) => call.node !== node)
  const touched = others.filter(({ route }) => route !== 'node').length
  const moved = log.filter((one) => one.kind === 'transition' && one.node !== node).length
  promise(
    world,
    `the other ${fleet.nodes.length - 1} nodes answer as ever, and their breakers stay closed`,
    touched + moved === 0,
    `${whole(touched)} calls did not get through, ${whole(moved)} changes of state`,
  )
}

function checkCounts(world: World, { fleet }: Outage): void {
  const miscounted = fleet.nodes.filter(({ id }) => {
    const { admitted, rejected } = fleet.breakerOf(id).counts()
    return admitted + rejected !== fleet.callsOf(id)
  })
  promise(
    world,
    'admitted and rejected are all calls, at every breaker',
    miscounted.length === 0,
    miscounted.map(({ id }) => id).join(', '),
  )
}
