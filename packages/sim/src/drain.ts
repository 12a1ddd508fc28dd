// How a run is driven: one event, then every microtask that follows from it, then the next event.
// The order of microtasks is the language's, so each way gives the same run.
//
// 'tick' calls Node's `_tickCallback` from a macrotask: twice as fast as waiting for a
// macrotask per event, but undocumented, so it is tried out first. Inside a microtask it would
// silently do nothing. 'immediate' is portable. 'none' never lets microtasks run: for scenarios
// of callbacks only.

import { hostProcess } from './host.ts'
import { SimError, show } from './sim-error.ts'

// Taken when the module loads, before a test replaces it by a fake.
const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }

/** How microtasks are drained after each event; 'auto' takes the fastest that works here. */
export type Drain = 'auto' | 'immediate' | 'tick' | 'none'

/** What is driven. */
export interface Steps {
  /** Lets one event take place; false at the end. */
  next(): boolean
  /** After its microtasks. */
  settle(): void
  /** The host's event loop gets its turn. */
  leave(): void
}

/** Events between two visits of the host's event loop, which has timeouts and pipes to serve. */
const STRIDE = 16_384

/**
 * Macrotasks asked for at a time, one for each event, where microtasks run after each of them (Node
 * from 11 on): the system is polled once a batch, which else takes most of the time of an event.
 */
const AHEAD = 64
let ahead: number | undefined

/** Which drain 'auto' stands for; resolves in a macrotask. */
export async function resolveDrain(drain: Drain): Promise<Exclude<Drain, 'auto'>> {
  if (drain === 'none') return drain
  if (drain === 'immediate') {
    ahead ??= (await tryAhead()) ? AHEAD : 1
    return drain
  }
  if (drain !== 'auto' && drain !== 'tick') {
    const rule = "drain must be 'auto', 'immediate', 'tick' or 'none'"
    throw new SimError('ERR_SIM_OPTION', `${rule}, got ${show(drain)}`)
  }
  tickWorks ??= tryTick()
  if (await tickWorks) return 'tick'
  if (drain === 'auto') return resolveDrain('immediate')
  throw new SimError('ERR_SIM_DRAIN', "drain 'tick' does not work in this runtime; use 'auto'")
}

let tickWorks: Promise<boolean> | undefined

function tryTick(): Promise<boolean> {
  const tick = hostProcess?._tickCallback
  if (typeof tick !== 'function') return Promise.resolve(false)
  return new Promise((resolve) => {
    macrotask(() => {
      let hops = 0
      Promise.resolve()
        .then(() => hops++)
        .then(() => hops++)
      try {
        tick()
      } catch {
        hops = 0
      }
      resolve(hops === 2)
    })
  })
}

/** Whether microtasks run between two macrotasks that were asked for at once. */
function tryAhead(): Promise<boolean> {
  if (setImmediate === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    let hops = 0
    macrotask(() => {
      Promise.resolve()
        .then(() => hops++)
        .then(() => hops++)
    })
    macrotask(() => resolve(hops === 2))
  })
}

/** Drives to the end; always begins in a macrotask. */
export function drive(steps: Steps, drain: Exclude<Drain, 'auto'>): Promise<void> {
  const tick = drain === 'tick' ? hostProcess!._tickCallback! : () => {}
  const isByOne = drain === 'immediate'
  const stride = isByOne ? driveOne : driveMany
  const batch = isByOne ? (ahead ?? 1) : 1
  return new Promise((resolve) => {
    let asked = 0
    let isOver = false
    const ask = () => {
      for (; asked < batch; asked++) macrotask(go)
    }
    const go = () => {
      asked--
      if (isOver) return
      let goesOn = true
      try {
        goesOn = stride(steps, tick)
      } finally {
        // Not caught: what `tick` throws must reach the host, which then mends its async stack
        // and tells the listeners of rejection-watch.ts. The run goes on, and finds its finding.
        steps.leave()
        if (!goesOn) {
          isOver = true
          resolve()
        } else if (asked === 0) ask()
      }
    }
    ask()
  })
}

/** What follows from the event runs before the next macrotask, which begins by settling it. */
function driveOne(steps: Steps): boolean {
  steps.settle()
  return steps.next()
}

function driveMany(steps: Steps, tick: () => void): boolean {
  for (let i = 0; i < STRIDE; i++) {
    if (!steps.next()) return false
    tick()
    steps.settle()
  }
  return true
}

/** Calls back from a macrotask of its own, behind all microtasks. */
export const macrotask: (callback: () => void) => void =
  setImmediate === undefined ? viaChannel() : (callback) => void setImmediate(callback)

function viaChannel(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  port1.onmessage = () => waiting.shift()?.()
  return (callback) => {
    waiting.push(callback)
    port2.postMessage(undefined)
  }
}
