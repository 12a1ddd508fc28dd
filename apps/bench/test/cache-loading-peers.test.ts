// What caches that load do where it hurts, beside ours.

import { LoadingCache } from '@ashlar/cache'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { Cacheable } from 'cacheable'
import { describe, expect, test } from 'vitest'

/** A load that waits for the test. */
function held<V>() {
  const calls: { readonly answer: (value: V) => void }[] = []
  const load = () => new Promise<V>((answer) => calls.push({ answer }))
  return { calls, load }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('a delete while the key is being loaded', () => {
  test('is undone in cacheable: the old value comes in after it', async () => {
    const cache = new Cacheable()
    const { calls, load } = held<string>()
    const read = cache.getOrSet('a', load)
    await turn()
    await cache.delete('a')
    calls[0]!.answer('old')
    await read
    expect(await cache.get('a')).toBe('old')
  })

  test('is undone in bentocache', async () => {
    const cache = new BentoCache({
      default: 'memory',
      stores: { memory: bentostore().useL1Layer(memoryDriver({})) },
    })
    const { calls, load } = held<string>()
    const read = cache.getOrSet({ key: 'a', factory: load })
    await turn()
    await cache.delete({ key: 'a' })
    calls[0]!.answer('old')
    await read
    expect(await cache.get({ key: 'a' })).toBe('old')
  })

  test('stands in ours', async () => {
    const { calls, load } = held<string>()
    const cache = new LoadingCache<string, string>({ load, store: new Map() })
    const read = cache.get('a')
    cache.delete('a')
    calls[0]!.answer('old')
    expect(await read).toBe('old')
    expect(cache.peek('a')).toBe(undefined)
  })
})

describe('a thousand who get, and set what is missing', () => {
  test('load a thousand times in cacheable, which protects only its own wrapper', async () => {
    const cache = new Cacheable()
    let loads = 0
    const read = async () => {
      const known = await cache.get('a')
      if (known !== undefined) return
      loads++
      await turn()
      await cache.set('a', 1)
    }
    await Promise.all(Array.from({ length: 1000 }, read))
    expect(loads).toBe(1000)
  })

  test('load once in ours', async () => {
    let loads = 0
    const load = async () => {
      loads++
      await turn()
      return 1
    }
    const cache = new LoadingCache<string, number>({ load, store: new Map() })
    await Promise.all(Array.from({ length: 1000 }, () => cache.get('a')))
    expect(loads).toBe(1)
  })
})
