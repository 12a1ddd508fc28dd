// @ashlar/history: no checker of linearizability on npm stands beside it, so the row has a ceiling
// in place of a peer: 100,000 operations of 100 keys, about ten at once on each, in 3 seconds.

import { checkLinearizable, type HistoryEvent, register } from '@ashlar/history'
import type { Bench } from './harness.ts'

export const peers: readonly string[] = []

const OPERATIONS = 100_000
const KEYS = 100
const CLIENTS_PER_KEY = 10

/** Measures how long a history takes to be judged. */
export function measure(bench: Bench): void {
  const history = registerHistory()
  const judge = (): number => {
    const { ok, steps } = checkLinearizable(history, register())
    if (ok !== true) throw new Error('the history of a register must be linearizable')
    return steps
  }
  bench.speed({
    id: 'linearizable-100k',
    title: '100,000 register operations of 100 keys, ten at once on each: the whole check',
    unit: 'ms/op',
    ops: 1,
    candidates: { '@ashlar/history': judge },
    goal: { atMost: 3000 },
  })
}

/** What clients of real registers see: each operation takes effect somewhere within its bar. */
function registerHistory(): HistoryEvent[] {
  const random = numbersOf(1)
  const timed: { at: number; event: HistoryEvent }[] = []
  for (let k = 0; k < KEYS; k++) {
    const operations = clientsOf(random)
    let value: number | null = null
    for (const { process, from, effect, to, f, argument } of operations) {
      const what = { id: timed.length, process: `${k}/${process}`, f, key: `key${k}`, time: 0 }
      if (f === 'write') value = argument
      const given = f === 'write' ? { value: argument } : {}
      const got = f === 'read' ? { value } : {}
      timed.push({ at: from, event: { ...what, type: 'invoke', ...given } })
      timed.push({ at: to, event: { ...what, type: 'ok', ...got } })
      if (effect < from || effect > to) throw new Error('an effect lies within its bar')
    }
  }
  timed.sort((a, b) => a.at - b.at)
  return timed.map(({ at, event }) => ({ ...event, time: at }))
}

/** The operations of one key in the order of their effects. */
function clientsOf(random: () => number) {
  return Array.from({ length: CLIENTS_PER_KEY }, (_, process) => {
    let now = random() * 2
    return Array.from({ length: OPERATIONS / KEYS / CLIENTS_PER_KEY }, () => {
      const from = now
      const effect = from + random() * 5
      const to = effect + random() * 5
      now = to + random() * 0.2
      const f = random() < 0.6 ? 'read' : 'write'
      return { process, from, effect, to, f, argument: Math.floor(random() * 1e6) }
    })
  })
    .flat()
    .sort((a, b) => a.effect - b.effect)
}

/** Numbers in [0, 1) of a seed. */
function numbersOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
