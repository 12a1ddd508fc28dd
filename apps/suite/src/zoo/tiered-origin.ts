// The origin of the values of caches, and what the test knows of it: which value of a key came
// when, and what was acknowledged. A value is the name of the write that made it, so that whoever
// reads it says how old it is. Requests are sent again until they are answered; each is done once.

import type { Env } from '@ashlar/sim'

interface OriginAsk {
  readonly originAsk: string
  readonly key: string
  /** What to write; reads if left out. */
  readonly value?: string
}

interface OriginAnswer {
  readonly originAsk: string
  readonly originAnswer: string
}

/** What is true of the values, whoever knows it. */
export class Truth {
  readonly elapsedMs: () => number
  violation = ''
  readonly #keys: Map<string, KeyTruth> = new Map()

  constructor(elapsedMs: () => number) {
    this.elapsedMs = elapsedMs
  }

  of(key: string): KeyTruth {
    let known = this.#keys.get(key)
    if (known === undefined) {
      known = new KeyTruth()
      this.#keys.set(key, known)
    }
    return known
  }
}

/** The values of one key, from the first to the present one. */
export class KeyTruth {
  readonly values: string[] = ['first']
  readonly sinceMs: number[] = [0]
  /** When a value was acknowledged as the one that all caches know of; Infinity if never. */
  readonly ackedMs: number[] = [0]
  readonly #numbers: Map<string, number> = new Map([['first', 0]])

  get current(): number {
    return this.values.length - 1
  }

  /** The number of a value; a write that comes again is the one it was. */
  numberOf(value: string): number | undefined {
    return this.#numbers.get(value)
  }

  write(value: string, nowMs: number): void {
    if (this.#numbers.has(value)) return
    this.#numbers.set(value, this.values.length)
    this.values.push(value)
    this.sinceMs.push(nowMs)
    this.ackedMs.push(Number.POSITIVE_INFINITY)
  }

  acknowledge(number: number, nowMs: number): void {
    this.ackedMs[number] = Math.min(this.ackedMs[number]!, nowMs)
  }

  /** When it was first acknowledged that a value later than this one is there. */
  supersededMs(number: number): number {
    return Math.min(...this.ackedMs.slice(number + 1), Number.POSITIVE_INFINITY)
  }
}

/** The node of the origin; what it keeps survives everything. */
export function serveOrigin(env: Env, truth: Truth): void {
  env.onMessage<OriginAsk>(({ originAsk, key, value }, from) => {
    if (originAsk === undefined) return
    const known = truth.of(key)
    if (value !== undefined) known.write(value, truth.elapsedMs())
    const originAnswer = value ?? known.values[known.current]!
    env.send(from, { originAsk, originAnswer } satisfies OriginAnswer)
  })
}

/** The origin as a process reaches it. */
export class RemoteOrigin {
  readonly #env: Env
  readonly #timeoutMs: number
  readonly #waiting: Map<string, (answer: string) => void> = new Map()
  #asked = 0

  constructor(env: Env, timeoutMs: number) {
    this.#env = env
    this.#timeoutMs = timeoutMs
    env.onMessage<OriginAnswer>(({ originAsk, originAnswer }) => {
      if (originAnswer !== undefined) this.#waiting.get(originAsk)?.(originAnswer)
    })
  }

  /** @throws Error (rejects) if there is no answer in time */
  read(key: string): Promise<string> {
    return this.#ask({ key })
  }

  /** @throws Error (rejects) if there is no answer in time: it may be written all the same */
  write(key: string, value: string): Promise<string> {
    return this.#ask({ key, value })
  }

  #ask(ask: Omit<OriginAsk, 'originAsk'>): Promise<string> {
    const { timers, send, incarnation } = this.#env
    // An answer may come to whoever has taken the place of a process that crashed.
    const originAsk = `${incarnation}/${this.#asked++}`
    return new Promise((resolve, reject) => {
      let resend: unknown
      const end = () => {
        this.#waiting.delete(originAsk)
        timers.clearTimeout(resend)
        timers.clearTimeout(deadline)
      }
      const transmit = () => {
        send('origin', { originAsk, ...ask } satisfies OriginAsk)
        resend = timers.setTimeout(transmit, this.#timeoutMs / 3)
      }
      const deadline = timers.setTimeout(() => {
        end()
        reject(new Error('the origin does not answer'))
      }, this.#timeoutMs)
      this.#waiting.set(originAsk, (answer) => {
        end()
        resolve(answer)
      })
      transmit()
    })
  }
}
