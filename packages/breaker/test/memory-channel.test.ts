import { describe, expect, test } from 'vitest'
import { type BreakerChannel, MemoryChannel, type ProbeHold } from '../src/channels/index.ts'
import { CHANNEL_LAWS, channelLaws, type OpenChannel } from './channel-laws.ts'
import { ManualTime } from './manual-timers.ts'

/** A channel of one's own over the one that all share. */
function viewOf(shared: BreakerChannel): OpenChannel {
  const own = new MemoryChannel()
  const leave: (() => void)[] = []
  return {
    publish: async (message, options) => {
      await own.publish('', options)
      return shared.publish(message, options)
    },
    subscribe: (listener) => {
      own.subscribe(() => {})
      const unsubscribe = shared.subscribe(listener)
      leave.push(unsubscribe)
      return unsubscribe
    },
    tryHold: async (key, ttlMs) => {
      await (await own.tryHold('', 1))?.release()
      return shared.tryHold(key, ttlMs)
    },
    close: async () => {
      for (const unsubscribe of leave) unsubscribe()
      await own.close()
    },
  }
}

async function placeOf(shared: BreakerChannel) {
  return { open: async () => viewOf(shared) }
}

channelLaws('MemoryChannel', () => placeOf(new MemoryChannel()))

test('a hold in memory goes by the clock that was given', async () => {
  const time = new ManualTime()
  using channel = new MemoryChannel(time)
  expect(await channel.tryHold('k', 100)).not.toBeNull()
  time.pass(99)
  expect(await channel.tryHold('k', 100)).toBeNull()
  time.pass(1)
  expect(await channel.tryHold('k', 100)).not.toBeNull()
})

class CarelessRelease extends MemoryChannel {
  readonly #current = new Map<string, ProbeHold>()

  override async tryHold(key: string, ttlMs: number): Promise<ProbeHold | null> {
    const hold = await super.tryHold(key, ttlMs)
    if (hold !== null) this.#current.set(key, hold)
    return hold && { release: async () => this.#current.get(key)?.release() }
  }
}

class LooksBeforeItTakes extends MemoryChannel {
  readonly #held = new Set<string>()

  override async tryHold(key: string): Promise<ProbeHold | null> {
    const isFree = !this.#held.has(key)
    await undefined
    if (!isFree) return null
    this.#held.add(key)
    return { release: async () => void this.#held.delete(key) }
  }
}

class NeverForgets extends MemoryChannel {
  override tryHold(key: string): Promise<ProbeHold | null> {
    return super.tryHold(key, 1e9)
  }
}

describe('the laws of channels catch their broken twins:', () => {
  const twins: readonly [string, new () => MemoryChannel][] = [
    ['a late release takes nothing from whoever holds the key by now', CarelessRelease],
    ['of many who want a key one holds it, and each key is by itself', LooksBeforeItTakes],
    ['a hold lasts for its time, and no longer', NeverForgets],
  ]
  test.each(twins)('%s', async (law, Twin) => {
    const { open } = await placeOf(new Twin())
    await expect(CHANNEL_LAWS[law]!(open)).rejects.toThrow()
  })
})
