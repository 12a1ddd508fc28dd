// The history of a run: what clients asked for and what came of it, in real-time order. It is
// what a checker of linearizability or of a ledger reads; JSON lines of these events are the
// format of @ashlar/history, which judges them. An operation without an end is unknown.

import type { Actor, Life } from './actor.ts'
import { isolate } from './isolate.ts'
import { SimError, show } from './sim-error.ts'
import type { World } from './world.ts'

/** One line of a history. */
export interface HistoryEvent {
  /** Of the operation: ties its end to its beginning. */
  readonly id: number
  /** ok: it happened; fail: certainly not; info: unknown, it may still happen at any time. */
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  /** Who did it. */
  readonly process: string
  readonly f: string
  readonly key?: string
  /** The arguments of an invoke, the result of an ok, the reason otherwise. */
  readonly value?: unknown
  /** Milliseconds of virtual time. */
  readonly time: number
  readonly node?: string
  readonly version?: unknown
}

/** What is known of an operation when it begins. */
export interface Invocation {
  readonly key?: string
  readonly value?: unknown
  readonly node?: string
}

/** What a checker may want to know of an end: where it was served, of which version. */
export interface Served {
  readonly node?: string
  readonly version?: unknown
}

/** An operation that has begun; exactly one of these says how it ended. */
export interface Operation {
  /** It happened, with this result. */
  ok(value?: unknown, served?: Served): void
  /** It certainly did not happen. */
  fail(reason?: unknown): void
  /** Nobody knows: it may have happened, or may happen later. */
  info(reason?: unknown): void
}

/** Writes the history of one run. */
export class Recorder {
  readonly events: HistoryEvent[] = []
  readonly #world: World
  #operations = 0

  constructor(world: World) {
    this.#world = world
  }

  invoke(actor: Actor, life: Life, f: string, invocation: Invocation = {}): Operation {
    const id = this.#operations++
    let ended: string | undefined
    if (life.isAlive) this.#record(id, 'invoke', actor, f, invocation.key, invocation)
    const end = (type: 'ok' | 'fail' | 'info', value: unknown, served: Served = {}) => {
      if (!life.isAlive) return
      if (ended !== undefined) {
        throw new SimError(
          'ERR_SIM_HISTORY',
          `operation ${id} (${f}) has ended as ${ended} and cannot end as ${type} too; ` +
            'call exactly one of ok, fail and info, once',
        )
      }
      ended = type
      this.#record(id, type, actor, f, invocation.key, { ...served, value })
    }
    return {
      ok: (value, served) => end('ok', value, served),
      fail: (reason) => end('fail', reason),
      info: (reason) => end('info', reason),
    }
  }

  #record(
    id: number,
    type: HistoryEvent['type'],
    actor: Actor,
    f: string,
    key: string | undefined,
    { value, node, version }: Invocation & Served,
  ): void {
    if (typeof f !== 'string') {
      throw new SimError('ERR_SIM_HISTORY', `f must be an operation's name, got ${show(f)}`)
    }
    const { hash } = this.#world.trace
    hash.word(id)
    hash.text(type)
    hash.text(f)
    if (key !== undefined) hash.text(key)
    this.events.push({
      id,
      type,
      process: actor.id,
      f,
      ...(key === undefined ? {} : { key }),
      ...(value === undefined ? {} : { value: isolate(value, hash) }),
      time: this.#world.nowUs / 1000,
      ...(node === undefined ? {} : { node }),
      ...(version === undefined ? {} : { version: isolate(version, hash) }),
    })
  }
}
