import { expect, test } from 'vitest'
import { SimulationFailure, simulate } from '../src/index.ts'
import { HASH_OF_20, hashOfSeeds } from './reference-world.ts'

test('a seed stands for the same run in a browser as in Node', async () => {
  expect(await hashOfSeeds(20, 'auto')).toBe(HASH_OF_20)
})

test('a rejection that nobody handles fails the run, and the page need not care', async () => {
  const heard: Event[] = []
  const listener = (event: Event) => heard.push(event)
  addEventListener('unhandledrejection', listener)
  const failure = await simulate({ seed: 1, faults: [], horizonMs: 50 }, (s) => {
    s.node('n', async (env) => {
      await env.sleep(5)
      void Promise.reject(new Error('lost'))
    })
  }).catch((error: unknown) => error)
  removeEventListener('unhandledrejection', listener)
  expect(failure).toBeInstanceOf(SimulationFailure)
  expect(failure).toMatchObject({ code: 'ERR_SIM_REJECTION' })
  // Whoever listened before us hears of it too, but that it is taken care of.
  expect(heard.map((event) => event.defaultPrevented)).toEqual([true])
})
