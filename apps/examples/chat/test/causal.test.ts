// The core in a simulated world: whatever the network and the machines do, and each broken twin is
// caught.

import { VersionVector } from '@ashlar/clock'
import { explore, type Fault, type FaultKind, simulate } from '@ashlar/sim'
import { expect, test } from 'vitest'
import { simulatedChat, type Twin } from './simulated-chat.ts'

/** A disk that refuses ends the process, so that of the disk's faults only lost power is left. */
const kinds: readonly FaultKind[] = [
  ...(['loss', 'duplication', 'reordering', 'latency', 'clog', 'swizzle'] as const),
  ...(['partition', 'oneWayPartition', 'crash', 'restart', 'pause', 'slow'] as const),
  ...(['clockJump', 'stepBack', 'drift'] as const),
]
const options = { kinds, horizonMs: 4_000, shrink: false }

test('whatever fails, causes come first, messages once, no acknowledged is lost', async () => {
  const { failures, coverage } = await explore({ ...options, runs: 50 }, simulatedChat())
  expect(failures.map(({ failure }) => failure.message)).toEqual([])
  expect([...coverage.sometimes].filter(([, times]) => times === 0)).toEqual([])
})

test('so it is on a bus that is never good, where a guest learns more than its node', async () => {
  const always = { atMs: 0, forMs: options.horizonMs }
  const faults: readonly Fault[] = [
    { kind: 'loss', rate: 0.4, ...always },
    { kind: 'duplication', rate: 0.3, ...always },
    { kind: 'reordering', rate: 0.3, byMs: 60, ...always },
  ]
  for (let seed = 0; seed < 20; seed++) {
    await simulate({ ...options, seed, faults }, simulatedChat())
  }
})

test('no guest waits for a server that died, whatever that server had shown it', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const dead = { node: 'abc'[seed % 3]!, atMs: 300 + 30 * seed, downMs: 9_000, unsyncedLoss: 1 }
    const faults: readonly Fault[] = [
      { kind: 'loss', rate: 0.3, atMs: 0, forMs: options.horizonMs },
      { kind: 'crash', ...dead },
    ]
    await simulate({ ...options, seed, faults }, simulatedChat({}, true))
  }
})

const OUT_OF_ORDER = /was shown \S+ before \S+/u
const LOST = /has lost|has not the same messages everywhere|does not show/u

/** What is broken, and what the run that catches it says. */
const twins: Record<string, { readonly twin: Twin; readonly says: RegExp }> = {
  'delivers in the order of each sender alone': {
    twin: {
      receive: (datagram) => {
        if (datagram.kind !== 'message') return datagram
        const { from, stamp } = datagram.message
        return {
          kind: 'message',
          message: { ...datagram.message, stamp: { [from]: stamp[from]! } },
        }
      },
    },
    says: OUT_OF_ORDER,
  },
  'does not send again': {
    twin: {
      receive: (datagram) => (datagram.kind === 'report' ? { ...datagram, asks: false } : datagram),
    },
    says: LOST,
  },
  'forgets after a restart what it had delivered': {
    twin: {
      file: (file) => ({
        read: async () =>
          (await file.read()).split('\n', 1)[0]!.replace(/"known":\{.*?\}/u, '"known":{}'),
        append: (text) => file.append(text),
        replace: (text) => file.replace(text),
      }),
    },
    says: /has let go what . had on disk and lacks now/u,
  },
  'acknowledges what is not on disk': {
    twin: {
      file: (file, env) => ({
        read: () => file.read(),
        append: async (text) => void env.timers.setTimeout(() => file.append(text), 400),
        replace: (text) => file.replace(text),
      }),
    },
    says: /has let go what . had on disk and lacks now|was shown|has lost/u,
  },
  'does not ask what a guest has seen elsewhere': {
    twin: { seen: () => VersionVector.empty },
    says: OUT_OF_ORDER,
  },
}

test.each(Object.entries(twins))('catches one that %s', async (_, { twin, says }) => {
  const { failures } = await explore({ ...options, runs: 400 }, simulatedChat(twin))
  expect(failures[0]?.failure.message.split('\n', 1)[0]).toMatch(says)
})
