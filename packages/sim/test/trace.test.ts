// The trace of a failure in words, line for line: who did what, and what the world did to them.

import { expect, test } from 'vitest'
import {
  type Scenario,
  type SimulateOptions,
  SimulationFailure,
  simulate,
  type WorldSetup,
} from '../src/index.ts'

function world(s: Scenario): void {
  s.node('a', async (env) => {
    env.onMessage((message) => env.log(`hears ${message}`))
    await env.disk.append('f', 'x')
    await env.disk.sync('f')
  })
  s.client('c', async (env) => {
    env.send('a', 'hello')
    await env.sleep(12)
    env.send('a', 'again')
  })
  s.afterHeal(() => 'not yet', { withinMs: 2, name: 'comes true' })
}

async function traceOf(options: SimulateOptions, world: WorldSetup): Promise<string[]> {
  const error = await simulate(options, world).catch((reason: unknown) => reason)
  if (!(error instanceof SimulationFailure)) return expect.unreachable('it did not fail')
  return error.trace.map((line) => line.trim())
}

test('a trace tells of starts, messages, disks, faults, the heal and what came after', async () => {
  const faults = [
    { kind: 'loss', atMs: 1, forMs: 3, rate: 0 },
    { kind: 'crash', node: 'a', atMs: 5, downMs: 2, unsyncedLoss: 1 },
    { kind: 'pause', node: 'a', atMs: 10, forMs: 6 },
    { kind: 'stepBack', node: 'a', atMs: 18, byMs: 1 },
  ] as const
  expect(await traceOf({ seed: 1, faults, horizonMs: 20 }, world)).toEqual([
    '0.000 ms  a: starts',
    '0.001 ms  c: starts',
    '0.185 ms  a: disk append f',
    '1.000 ms  world: begins loss',
    '1.029 ms  a ← c: "hello"',
    '1.029 ms  a: hears hello',
    '4.000 ms  world: ends loss',
    '4.860 ms  a: disk sync f',
    '5.000 ms  world: begins crash a',
    '7.000 ms  world: restarts a',
    '7.000 ms  a: starts',
    '7.039 ms  a: disk append f',
    '10.000 ms  world: begins pause a',
    '12.001 ms  c: timer',
    '16.000 ms  world: wakes a',
    '16.000 ms  a: disk sync f',
    '16.000 ms  world: wakes a',
    '16.000 ms  a ← c: "again"',
    '16.000 ms  a: hears again',
    '18.000 ms  world: makes stepBack a',
    '20.000 ms  world: the horizon',
    '20.000 ms  world: heals',
    '20.000 ms  comes true: is asked',
    '21.000 ms  comes true: timer',
    '21.000 ms  comes true: is asked',
    '22.000 ms  comes true: timer',
    '22.000 ms  comes true: is asked',
    '22.000 ms  world: bound of comes true',
  ])
})

test('a trace tells when the time for clients is over', async () => {
  const slow = (s: Scenario) => s.client('c', (env) => env.sleep(99))
  expect(await traceOf({ seed: 1, faults: [], horizonMs: 10, settleMs: 5 }, slow)).toEqual([
    '0.001 ms  c: starts',
    '10.000 ms  world: the horizon',
    '10.000 ms  world: heals',
    '15.000 ms  world: time for clients is over',
  ])
})
