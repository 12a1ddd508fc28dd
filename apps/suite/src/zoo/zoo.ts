// The bug zoo: small systems that are right, each with broken twins. The right ones must never
// fail, the broken ones must be caught: a law that cannot catch its twin is no law.

import type { Scenario } from '@ashlar/sim'
import { breakersOnRing } from '../breaker/breakers-on-ring.ts'
import { cachedReads } from '../cache/cached-reads.ts'
import { causalBroadcast } from '../clock/causal-broadcast.ts'
import { siblingStore } from '../clock/sibling-store.ts'
import { stampedMessages } from '../clock/stamped-messages.ts'
import { leasedWorkers } from '../id/leased-workers.ts'
import { pooledTickets } from '../id/pooled-tickets.ts'
import { reservedWorker } from '../id/reserved-worker.ts'
import { shardedBank } from '../shard/sharded-bank.ts'
import { clusteredReads } from './clustered-reads.ts'
import { placedStore, type StoreBug } from './placed-store.ts'
import { quorumRegister } from './quorum-register.ts'
import { ticketServer } from './ticket-server.ts'
import { tieredReads } from './tiered-reads.ts'

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
  ...variants('leased workers', leasedWorkers, [
    'leases by wall time',
    'grants before fsync',
    'ignores the end of its lease',
  ]),
  ...variants('reserved worker', reservedWorker, [
    'keeps its guard in memory',
    'saves without fsync',
    'saves after it has made them',
  ]),
  ...variants('pooled tickets', pooledTickets, [
    'hands out segments before fsync',
    'reads, waits and writes',
    'guesses a segment whose answer is late',
  ]),
  ...variants('stamped messages', stampedMessages, [
    'receives without merging',
    'goes on under its old name',
    'drops the logical part',
    'follows its wall clock back',
    'does not observe ids',
  ]),
  ...variants('causal broadcast', causalBroadcast, [
    'waits for the sender alone',
    'delivers letters as they come',
    'forgets what it had read',
    'sends before fsync',
  ]),
  ...variants('sibling store', siblingStore, [
    "ignores the writer's context",
    'resolves without a dot',
    'lets the last write win',
    'reuses dots after a crash',
  ]),
  ...variants('cached reads', cachedReads, [
    'counts from the answer',
    'expires by the wall clock',
    'begins anew with every hit',
    'takes a late answer for a new one',
  ]),
  ...variants('tiered reads', tieredReads, [
    'refills without looking at the lease',
    'deletes and leaves the leases',
    'comes back as it was a while ago',
    'stores whatever was written last',
    'keeps near what was on its way',
    'never asks what it has missed',
    'believes after a gap that it has heard all',
    'acknowledges what the store does not know',
    'acknowledges what waits to be written',
  ]),
  ...variants('clustered reads', clusteredReads, [
    'places what not all have prepared',
    'gives the keys of a dead server to the next',
  ]),
  ...variants('sharded bank', shardedBank, [
    'checks no fence on reads',
    'ignores the fence and its old map',
    'flips the map before rows are there',
    'copies what is still written',
    'commits one shard after the other',
    'recovers without deciding',
  ]),
  ...variants('breakers on a ring', breakersOnRing, [
    'counts late results',
    'probes without a limit',
    'keeps the permit of a failed call',
    'retries without a budget',
    'never tries an open node again',
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
