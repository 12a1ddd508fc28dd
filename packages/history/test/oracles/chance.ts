// Random histories from a seed, the same on every machine.

import type { EventType, HistoryEvent } from '@ashlar/history'

/** Numbers of a seed, in [0, 1). */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(among: readonly T[]): T {
    return among[this.below(among.length)]!
  }
}

/** What a client begins, and what it gets if all goes well. */
export interface Intent {
  readonly f: string
  readonly key?: string
  readonly argument?: unknown
  readonly result?: unknown
  readonly version?: unknown
}

/** Sequential clients that do `count` operations; a few end in fail, in info or not at all. */
export function clientsHistory(
  chance: Chance,
  options: { clients: number; count: number; intent: (id: number) => Intent; mishaps?: number },
): HistoryEvent[] {
  const { clients, count, intent, mishaps = 12 } = options
  const history: HistoryEvent[] = []
  const running = new Map<string, { id: number; what: Intent }>()
  const gone = new Set<string>()
  let [begun, time] = [0, 0]
  while (begun < count || running.size > 0) {
    const process = `p${chance.below(clients)}`
    time += chance.below(4)
    const run = running.get(process)
    if (gone.has(process)) {
      if (gone.size === clients) break
      continue
    }
    if (run === undefined) {
      if (begun === count) continue
      const id = begun++
      const what = intent(id)
      running.set(process, { id, what })
      history.push(event(id, 'invoke', process, what, what.argument, time))
      continue
    }
    running.delete(process)
    const fate = chance.below(mishaps)
    if (fate === 0) gone.add(process)
    else if (fate === 1) history.push(event(run.id, 'info', process, run.what, undefined, time))
    else if (fate === 2) history.push(event(run.id, 'fail', process, run.what, undefined, time))
    else history.push(event(run.id, 'ok', process, run.what, run.what.result, time))
  }
  return history
}

function event(
  id: number,
  type: EventType,
  process: string,
  { f, key, version }: Intent,
  value: unknown,
  time: number,
): HistoryEvent {
  return {
    ...{ id, type, process, f, time },
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    ...(version === undefined || type !== 'ok' ? {} : { version }),
  }
}
