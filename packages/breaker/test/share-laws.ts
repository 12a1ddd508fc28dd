// The laws of breakers that share, on traces of all that may happen to them and to their messages:
// lost, repeated, late, overtaken. The world here is one clock and one bag of messages; every order
// in which messages arrive is an order in which a trace takes them out of the bag.

import { fc } from '@fast-check/vitest'
import { type BreakerChannel, MemoryChannel, shareBreaker } from '../src/channels/index.ts'
import { CircuitBreaker, consecutive } from '../src/index.ts'
import { decodeShareMessage } from '../src/share-message.ts'
import { ManualTime } from './manual-timers.ts'

/** What a twin may break. */
export interface Making {
  readonly Breaker?: typeof CircuitBreaker
  readonly minRepeatMs?: number
}

type Step =
  | { readonly does: 'fail' | 'succeed' | 'reset' | 'leave'; readonly who: number }
  | { readonly does: 'deliver' | 'repeat' | 'lose'; readonly pick: number }
  | { readonly does: 'wait'; readonly ms: number }

const SIZE = 3
const who = fc.nat(SIZE - 1)
const pick = fc.nat(1_000)

export const traces: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant('fail' as const), who }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('succeed' as const), who }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('reset', 'leave'), who }) },
    {
      weight: 8,
      arbitrary: fc.record({ does: fc.constantFrom('deliver', 'repeat', 'lose'), pick }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        does: fc.constant('wait' as const),
        ms: fc.constantFrom(1, 50, 99, 500, 1_000, 4_000),
      }),
    },
  ),
  { maxLength: 60, size: 'max' },
)

const settle = async () => {
  for (let i = 0; i < 12; i++) await undefined
}

/** A few breakers that share over a channel which the trace controls. */
class SharedWorld {
  readonly #time = new ManualTime()
  readonly #store = new MemoryChannel(this.#time)
  readonly #making: Making
  /** Messages under way, each to one breaker. */
  #bag: { readonly to: number; readonly text: string }[] = []
  readonly #listeners: ((text: string) => void)[] = []
  #breakers: CircuitBreaker[] = []
  readonly #leave: (() => Promise<void>)[] = []
  /** Until when each may be open: its own openings, and what it has heard. */
  readonly #openUntilMs: number[] = []
  #drawn = 0

  constructor(making: Making = {}) {
    this.#making = making
    for (let i = 0; i < SIZE; i++) this.#join(i)
  }

  async take(step: Step): Promise<void> {
    if (step.does === 'wait') this.#time.pass(step.ms)
    else if ('pick' in step) this.#handle(step.does, step.pick)
    else await this.#act(step.does, step.who)
    await settle()
  }

  /** All faults stop: messages arrive, each once, for longer than words are repeated. */
  async heal(): Promise<void> {
    for (let i = 0; i < 40; i++) {
      this.#time.pass(100)
      await settle()
      const bag = this.#bag
      this.#bag = []
      for (const { to, text } of bag) this.#hear(to, text)
      await settle()
    }
  }

  /** A breaker that is open for longer than it may be; undefined if all is well. */
  tooLong(): string | undefined {
    const nowMs = this.#time.nowMs
    for (const [i, breaker] of this.#breakers.entries()) {
      const untilMs = nowMs + breaker.remainingOpenMs
      const mostMs = this.#openUntilMs[i]!
      if (breaker.remainingOpenMs > 0 && untilMs > mostMs + 1e-6) {
        return `breaker ${i} is open until ${untilMs}, though told ${mostMs} at most`
      }
    }
    return undefined
  }

  /** What the breakers do not agree on; undefined if they do. */
  disagreement(): string | undefined {
    const states = this.#breakers.map(({ state, generation }) => {
      return state === 'closed' ? `closed ${generation}` : 'not closed'
    })
    return new Set(states).size === 1 ? undefined : states.join(', ')
  }

  async close(): Promise<void> {
    await Promise.all(this.#leave.map((leave) => leave()))
  }

  get timersPending(): number {
    return this.#time.pending
  }

  #join(i: number): void {
    const { monotonic, timers } = this.#time
    const random = () => (++this.#drawn * 0.6180339887) % 1
    const Breaker = this.#making.Breaker ?? CircuitBreaker
    const breaker = new Breaker({
      trip: consecutive(1),
      open: { initialMs: 1_000, maxMs: 8_000, jitter: 0.5 },
      halfOpen: { probes: 1 },
      monotonic,
      random,
    })
    this.#openUntilMs[i] = 0
    breaker.on('transition', ({ cause, remainingMs }) => {
      if (cause !== 'remote') this.#mayBeOpen(i, remainingMs)
    })
    const channel: BreakerChannel = {
      publish: async (text) => {
        for (let to = 0; to < SIZE; to++) this.#bag.push({ to, text })
      },
      subscribe: (listener) => {
        this.#listeners[i] = listener
        return () => {}
      },
      tryHold: (key, ttlMs) => this.#store.tryHold(key, ttlMs),
    }
    const { minRepeatMs = 100 } = this.#making
    const repeats = { minRepeatMs, maxRepeatMs: 1_000 }
    const options = { ...repeats, timers, monotonic, random, probeTtlMs: 2_000 }
    const shared = shareBreaker(breaker, channel, options)
    this.#breakers[i] = breaker
    this.#leave[i] = () => shared.close()
  }

  async #act(does: 'fail' | 'succeed' | 'reset' | 'leave', i: number): Promise<void> {
    const breaker = this.#breakers[i]!
    if (does === 'reset') breaker.reset()
    else if (does === 'leave') {
      await this.#leave[i]!()
      this.#join(i)
    } else {
      const call = does === 'fail' ? () => Promise.reject(new Error('down')) : async () => {}
      await breaker.run(call).catch(() => {})
    }
  }

  #handle(does: 'deliver' | 'repeat' | 'lose', pick: number): void {
    if (this.#bag.length === 0) return
    const at = pick % this.#bag.length
    const { to, text } = this.#bag[at]!
    if (does !== 'repeat') this.#bag.splice(at, 1)
    if (does !== 'lose') this.#hear(to, text)
  }

  #hear(to: number, text: string): void {
    const message = decodeShareMessage(text)
    if (message?.to === 'open') this.#mayBeOpen(to, message.remainingMs)
    this.#listeners[to]!(text)
  }

  #mayBeOpen(i: number, remainingMs: number): void {
    this.#openUntilMs[i] = Math.max(this.#openUntilMs[i]!, this.#time.nowMs + remainingMs)
  }
}

/** Fails where shared breakers break their laws on this trace. */
export async function checkSharing(trace: readonly Step[], making?: Making): Promise<void> {
  const world = new SharedWorld(making)
  for (const step of trace) {
    await world.take(step)
    refuse(world.tooLong())
  }
  await world.heal()
  refuse(world.tooLong())
  refuse(world.disagreement())
  await world.close()
  refuse(world.timersPending === 0 ? undefined : `${world.timersPending} timers are left`)
}

function refuse(complaint: string | undefined): void {
  if (complaint !== undefined) throw new Error(complaint)
}
