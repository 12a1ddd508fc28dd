// The channel within one process: the reference for the others, for tests, and for breakers of
// several workers that a program joins itself. Messages arrive in order, a microtask later.

import type { BreakerChannel, ProbeHold } from '../channel.ts'
import { ChannelError } from '../channel-error.ts'
import { platformMonotonic } from '../platform-monotonic.ts'

interface Listener {
  readonly tell: (message: string) => void
}

/**
 * A channel between breakers of one process; share the same object among them.
 *
 * @example
 * const channel = new MemoryChannel()
 * shareBreaker(one, channel, { key: 'billing' })
 * shareBreaker(other, channel, { key: 'billing' })
 */
export class MemoryChannel implements BreakerChannel, Disposable {
  readonly #monotonic: () => number
  readonly #listeners = new Set<Listener>()
  readonly #holds = new Map<string, { readonly untilMs: number }>()
  #isClosed = false

  /** @param options.monotonic elapsed milliseconds; default `performance.now` */
  constructor(options: { readonly monotonic?: () => number } = {}) {
    this.#monotonic = options.monotonic ?? platformMonotonic()
  }

  /** @throws ChannelError (rejects) CLOSED, or the signal's reason */
  async publish(message: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#refuseClosed()
    signal.throwIfAborted()
    await undefined
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) listener.tell(message)
    }
  }

  /** Tells every message from now on. There are no gaps. */
  subscribe(listener: (message: string) => void): () => void {
    this.#refuseClosed()
    const own: Listener = { tell: listener }
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** @throws ChannelError (rejects) CLOSED */
  async tryHold(key: string, ttlMs: number): Promise<ProbeHold | null> {
    this.#refuseClosed()
    const nowMs = this.#monotonic()
    const held = this.#holds.get(key)
    if (held !== undefined && nowMs < held.untilMs) return null
    const own = { untilMs: nowMs + ttlMs }
    this.#holds.set(key, own)
    return {
      release: async () => {
        if (this.#holds.get(key) === own) this.#holds.delete(key)
      },
    }
  }

  /** Forgets listeners and holds. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    this.#holds.clear()
  }

  [Symbol.dispose](): void {
    void this.close()
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new ChannelError('CLOSED', 'the channel is closed: make a new one')
  }
}
