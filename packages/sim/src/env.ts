// What a simulated process has of the world, under the names under which Ashlar's parts take
// their options, so that `{ ...env }` fits every constructor. Every function works detached, and
// does nothing, or never resolves, once the process it was given to has crashed.

import type { Actor } from './actor.ts'
import type { SimDisk } from './disk.ts'
import type { SimEvent } from './event-heap.ts'
import type { Invocation, Operation } from './history.ts'
import { RandomStream } from './prng.ts'
import { SimError, show, toMicros } from './sim-error.ts'
import type { World } from './world.ts'

/** Receives a message; a rejection of what it returns fails the run. */
export type MessageHandler<M = unknown> = (message: M, from: string) => unknown

/** A timer of a simulated process; `ref` and `unref` are there because Node's timers have them. */
export interface SimTimer {
  ref(): this
  unref(): this
}

/** Timers on virtual time. */
export interface SimTimers {
  setTimeout(callback: () => unknown, delayMs?: number): SimTimer
  clearTimeout(timer: unknown): void
}

/** The world as one process sees it. */
export interface Env {
  readonly id: string
  /** 1 for the first process of a node, one more after every restart. */
  readonly incarnation: number
  /** Wall clock in whole milliseconds; may jump, drift and go back. */
  readonly now: () => number
  /** Milliseconds since this process began; never goes back, but may drift. */
  readonly monotonic: () => number
  /** A number in [0, 1). */
  readonly random: () => number
  /** Fills `out` with random bytes. */
  readonly randomBytes: (out: Uint8Array) => void
  readonly timers: SimTimers
  /** Resolves after `ms`; rejects with the signal's reason if that comes first. */
  readonly sleep: (ms: number, options?: { readonly signal?: AbortSignal }) => Promise<void>
  /** Aborts with a TimeoutError after `ms`, as AbortSignal.timeout does. */
  readonly timeoutSignal: (ms: number) => AbortSignal
  /** Sends a copy of `message`; it may be lost, late, doubled or overtaken, and nobody tells. */
  readonly send: (to: string, message: unknown) => void
  /** Calls `handler` for every message from now on. */
  readonly onMessage: <M = unknown>(handler: MessageHandler<M>) => void
  readonly disk: SimDisk
  /** Whether the code at this label should misbehave now; never after the world has healed. */
  readonly buggify: (label: string) => boolean
  /** Records the beginning of an operation in the history. */
  readonly invoke: (f: string, invocation?: Invocation) => Operation
  /** Adds a line to the trace, which a failure shows. */
  readonly log: (text: string) => void
}

/** The env of the present incarnation of an actor. */
export function makeEnv(world: World, actor: Actor): Env {
  const { life, clock, id } = actor
  const stream = new RandomStream(world.options.seed, `random/${id}/${life.incarnation}`)
  return {
    id,
    incarnation: life.incarnation,
    now: () => clock.wallMs(world.nowUs),
    monotonic: () => clock.monotonicMs(world.nowUs),
    random: () => stream.fraction(),
    randomBytes: (out) => fill(out, stream),
    ...timing(world, actor),
    send: (to, message) => {
      if (life.isAlive) world.network.send(actor, world.actorOf(to), message)
    },
    onMessage: (handler) => {
      if (life.isAlive) actor.handlers.push(handler as MessageHandler)
    },
    disk: actor.disk.mount(life),
    buggify: (label) => life.isAlive && world.buggify.fires(actor, label, world.isHealed),
    invoke: (f, invocation) => world.recorder.invoke(actor, life, f, invocation),
    log: (text) => {
      if (life.isAlive) world.trace.note(actor, text, world.nowUs)
    },
  }
}

function timing(world: World, actor: Actor): Pick<Env, 'timers' | 'sleep' | 'timeoutSignal'> {
  const { life } = actor
  const timers: SimTimers = {
    setTimeout: (callback, delayMs = 0) => {
      if (typeof callback !== 'function') {
        throw new SimError('ERR_SIM_OPTION', `callback must be a function, got ${show(callback)}`)
      }
      return world.timer(actor, life, toMicros(delayMs, 'delay'), callback)
    },
    clearTimeout: (timer) => world.clear(timer as SimEvent | undefined),
  }
  const sleep: Env['sleep'] = (ms, { signal } = {}) => {
    const micros = toMicros(ms, 'sleep')
    return new Promise((resolve, reject) => {
      if (signal === undefined) {
        world.timer(actor, life, micros, resolve as () => void)
        return
      }
      if (signal.aborted) {
        if (life.isAlive) reject(signal.reason)
        return
      }
      const onAbort = () => {
        world.clear(timer)
        if (life.isAlive) reject(signal.reason)
      }
      const timer = world.timer(actor, life, micros, () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
  const timeoutSignal: Env['timeoutSignal'] = (ms) => {
    const controller = new AbortController()
    world.timer(actor, life, toMicros(ms, 'timeout'), () => {
      controller.abort(new DOMException(`${ms} ms have passed`, 'TimeoutError'))
    })
    return controller.signal
  }
  return { timers, sleep, timeoutSignal }
}

function fill(out: Uint8Array, stream: RandomStream): void {
  for (let i = 0; i < out.length; i += 4) {
    const bits = stream.next()
    const end = Math.min(out.length, i + 4)
    for (let k = i; k < end; k++) out[k] = bits >>> (8 * (k - i))
  }
}
