// The bug zoo: small systems that are right, each with broken twins. The right ones must never
// fail, the broken ones must be caught: a law that cannot catch its twin is no law.

import type { Scenario } from '@ashlar/sim'
import { placedStore, type StoreBug } from './placed-store.ts'
import { quorumRegister } from './quorum-register.ts'
import { ticketServer } from './ticket-server.ts'

/** A system of the zoo, right or with one bug. */
export interface Variant {
  readonly system: string
  /** What is broken; undefined for the right one. */
  readonly bug: string | undefined
  readonly world: (s: Scenario) => void
}

const MEMBERSHIPS = [
  ['s1', 's2', 's3'],
  ['s1', 's2', 's3', 's4'],
  ['s2', 's3', 's4'],
]
const KEYS = ['amber', 'beryl', 'coral', 'diamond']

const storeWith = (bug?: StoreBug) => placedStore({ memberships: MEMBERSHIPS, keys: KEYS, bug })

export const ZOO: readonly Variant[] = [
  ...variants('quorum register', quorumRegister, [
    'does not write back',
    'acknowledges before fsync',
    'reads one replica',
  ]),
  ...variants('ticket server', ticketServer, [
    'hands out before fsync',
    'counts in memory',
    'never looks at its disk',
  ]),
  ...variants('placed store', storeWith, [
    'serves by a stale epoch',
    'serves before it has the data',
    'acknowledges before fsync',
  ]),
]

function variants<B extends string>(
  system: string,
  make: (bug?: B) => (s: Scenario) => void,
  bugs: readonly B[],
): Variant[] {
  return [
    { system, bug: undefined, world: make() },
    ...bugs.map((bug) => ({ system, bug, world: make(bug) })),
  ]
}
