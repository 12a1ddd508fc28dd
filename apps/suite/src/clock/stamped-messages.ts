// Processes that send each other messages and stamp every event with every clock there is, under
// loss, doubled and overtaken messages, crashes, and wall clocks that jump. At the end all pairs of
// events are held against their causal histories:
//
//   e → f  ⇔  vector(e) before vector(f)                 in both directions
//   e → f  ⇒  lamport(e) < lamport(f), hlc(e) < hlc(f), id(e) < id(f)
//
// and a vector counts its event's causal history: a merge the union, a meet the intersection.

import { compareHlc, type VersionVector } from '@ashlar/clock'
import type { Env, Scenario } from '@ashlar/sim'
import { CausalHistory } from './causal-history.ts'
import { type StampBug, Stamper, type Stamps, toWire, type WireStamps } from './stamper.ts'

interface Message {
  /** The number of the event that sent it. */
  readonly cause: number
  readonly stamps: WireStamps
}

/** What the test knows of a run, and no process does. */
interface Chronicle {
  readonly history: CausalHistory
  readonly stamps: Stamps[]
}

const PROCESSES = ['oslo', 'rome', 'tokyo']
const ACTIONS = 12
const MAX_PAUSE_MS = 60

/** The world of the stamped messages, right or with one bug. */
export function stampedMessages(bug?: StampBug): (s: Scenario) => void {
  return (s) => {
    const chronicle: Chronicle = { history: new CausalHistory(), stamps: [] }
    for (const [place, id] of PROCESSES.entries()) {
      s.node(id, (env) => live(env, chronicle, new Stamper(env, place, bug)))
    }
    s.judge('clocks follow causes', () => judge(chronicle))
  }
}

async function live(env: Env, { history, stamps }: Chronicle, stamper: Stamper): Promise<void> {
  let last: number | undefined
  const enter = (made: Stamps, ...causes: number[]): number => {
    last = history.add(last === undefined ? causes : [last, ...causes])
    stamps.push(made)
    return last
  }
  env.onMessage<Message>((message) => {
    enter(stamper.receive(message.stamps), message.cause)
  })
  const others = PROCESSES.filter((id) => id !== env.id)
  for (let n = 0; n < ACTIONS; n++) {
    await env.sleep(env.random() * MAX_PAUSE_MS)
    const made = stamper.tick()
    const cause = enter(made)
    const to = others[Math.floor(env.random() * (others.length + 1))]
    // None of the others is a local event.
    if (to !== undefined) env.send(to, { cause, stamps: toWire(made) } satisfies Message)
  }
}

function judge({ history, stamps }: Chronicle): true | string {
  for (const [e, first] of stamps.entries()) {
    if (countOf(first.vector) !== history.of(e).size) {
      return `event ${e} counts ${countOf(first.vector)} events, it has ${history.of(e).size}`
    }
    for (let f = e + 1; f < stamps.length; f++) {
      const isBefore = history.isBefore(e, f)
      const wrong = compareStamps(first, stamps[f]!, isBefore) ?? latticeOf(history, stamps, e, f)
      if (wrong !== undefined) {
        return `${wrong} of events ${e} and ${f}, which are ${isBefore ? 'in order' : 'concurrent'}`
      }
    }
  }
  return true
}

/** Names the clock that is wrong about a pair of events, numbered as they happened. */
function compareStamps(e: Stamps, f: Stamps, isBefore: boolean): string | undefined {
  const [there, back] = isBefore ? ['before', 'after'] : ['concurrent', 'concurrent']
  if (e.vector.compare(f.vector) !== there || f.vector.compare(e.vector) !== back) return 'vectors'
  const byHlc = compareHlc(e.hlc, f.hlc)
  if (byHlc < 0 !== e.text < f.text) return 'texts of hybrid timestamps'
  if (e.id === f.id) return 'ids (equal)'
  if (!isBefore) return undefined
  if (e.lamport >= f.lamport) return 'Lamport numbers'
  if (byHlc >= 0) return 'hybrid timestamps'
  return e.id >= f.id ? 'ids' : undefined
}

/** Merge and meet count the union and the intersection of causal histories; asked of some pairs. */
function latticeOf(
  history: CausalHistory,
  stamps: readonly Stamps[],
  e: number,
  f: number,
): string | undefined {
  if ((e * 7 + f) % 23 !== 0) return undefined
  const [a, b] = [stamps[e]!.vector, stamps[f]!.vector]
  const union = history.of(e).union(history.of(f))
  if (countOf(a.merge(b)) !== union.size) return 'merged vectors'
  const shared = history.of(e).intersection(history.of(f))
  return countOf(a.meet(b)) === shared.size ? undefined : 'met vectors'
}

function countOf(vector: VersionVector): number {
  let sum = 0
  for (const [, count] of vector.entries()) sum += count
  return sum
}
