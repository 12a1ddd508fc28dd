// A runtime that is neither Node nor a browser that anybody knows: without `process`, without
// `setImmediate`. What the package then falls back to must give the same runs.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hashOfSeeds } from './reference-world.ts'

beforeEach(() => {
  vi.resetModules()
  vi.doMock('../src/host.ts', () => ({ hostProcess: undefined }))
})

afterEach(() => {
  vi.doUnmock('../src/host.ts')
  vi.unstubAllGlobals()
  vi.resetModules()
})

describe('without process', () => {
  test('a seed stands for the same run, one message of a channel for each event', async () => {
    vi.stubGlobal('setImmediate', undefined)
    const bare = await import('./reference-world.ts')
    expect(await bare.hashOfSeeds(3, 'auto')).toBe(await hashOfSeeds(3, 'tick'))
  })

  test("drain 'auto' stands for 'immediate', and 'tick' is refused", async () => {
    const { resolveDrain } = await import('../src/drain.ts')
    expect(await resolveDrain('auto')).toBe('immediate')
    await expect(resolveDrain('tick')).rejects.toMatchObject({
      code: 'ERR_SIM_DRAIN',
      message: "drain 'tick' does not work in this runtime; use 'auto'",
    })
  })

  test('a rejection that nobody handles is heard from the global event, to the end', async () => {
    const page = new EventTarget()
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
    const { watchRejections } = await import('../src/rejection-watch.ts')
    const heard: unknown[] = []
    const stop = watchRejections((reason) => heard.push(reason))
    const rejection = (reason: string) =>
      Object.assign(new Event('unhandledrejection', { cancelable: true }), { reason })
    const first = rejection('first')
    expect(page.dispatchEvent(first)).toBe(false)
    stop()
    expect(page.dispatchEvent(rejection('second'))).toBe(true)
    expect(heard).toEqual(['first'])
  })

  test('and without global events, rejections are left alone', async () => {
    vi.stubGlobal('addEventListener', undefined)
    const { watchRejections } = await import('../src/rejection-watch.ts')
    expect(watchRejections(() => {})()).toBeUndefined()
  })

  test('a corpus says what it lacks', async () => {
    const { readCorpus } = await import('../src/corpus.ts')
    expect(() => readCorpus('seeds/x.json')).toThrow(
      expect.objectContaining({
        code: 'ERR_SIM_CORPUS',
        message: 'a corpus needs the file system of Node 20.19 or later',
      }),
    )
  })
})
