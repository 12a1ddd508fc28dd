// What the examples of @ashlar/sim have at hand: a world with an echo, and a run of one that fails.

import { DiskError, type Scenario, type SimulationFailure, simulate } from '@ashlar/sim'

export { default as fc } from 'fast-check'

export function world(s: Scenario): void {
  s.node('echo', (env) => env.onMessage((message, from) => env.send(from, message)))
  for (const id of ['a', 'b', 'c']) {
    s.node(id, (env) => env.onMessage(() => env.send('echo', 'hello')))
  }
  s.client('caller', async (env) => {
    env.send('echo', 'hello')
    await env.sleep(100)
  })
}

function broken(s: Scenario): void {
  s.client('a', (env) => env.sleep(10))
  s.invariant('time stands still', () => false)
}

export const found: SimulationFailure = await simulate({ seed: 1, horizonMs: 100 }, broken).then(
  () => {
    throw new Error('the broken world did not fail')
  },
  (error: SimulationFailure) => error,
)

export const disk = {
  async sync(file: string): Promise<void> {
    throw new DiskError('sync', file)
  },
}
