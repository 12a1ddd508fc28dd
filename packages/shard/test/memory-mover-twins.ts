// Memory movers that each break one rule of leases, fences, reports or cleaning, with the case of
// the conformance kit that must catch it; and all others with them.

import type { MoveLease } from '@ashlar/shard'
import { CAPTURE_TWINS } from './memory-capture-twins.ts'
import { COPY_TWINS, putsOnly } from './memory-copy-twins.ts'
import {
  ForgottenTokens,
  ReleasedTokens,
  UnseenMarks,
  UnseenResolve,
} from './memory-database-twins.ts'
import { type EngineTwin, moment, pretending } from './memory-engine-twin.ts'

const ALL = 1_000_000

const FENCE_TWINS: readonly EngineTwin[] = [
  {
    name: 'remembers no token',
    caught:
      'a mover: after a claim with a higher token every method refuses the earlier with FENCED',
    database: ForgottenTokens,
  },
  {
    name: 'keeps one token for all jobs',
    caught: 'a mover: tokens are of a job: those of another are nothing to it',
    mover: (sound) => ({
      claim: async (shard, lease: MoveLease) => {
        await sound.claim(shard, lease)
        await sound.claim(shard, { ...lease, job: 'job' })
      },
    }),
  },
  {
    name: 'checks a lease only before it waits',
    caught:
      'a mover: freeze that waits while another worker claims the shard is refused with FENCED',
    mover: (sound, engine) => ({
      freeze: async (shard, lease, fences) => {
        await sound.claim(shard, lease)
        await engine.setFences(shard, fences)
      },
    }),
  },
  {
    name: 'waits for no writer when it freezes',
    caught:
      'a mover: freeze waits for writers, who commit; later ones are refused with SHARD_FROZEN',
    mover: (_, engine) => ({
      freeze: async (shard, _lease, fences) => engine.database(shard).setFences(fences),
    }),
  },
  {
    name: 'waits for no prepared transaction when it freezes',
    caught: 'a mover: freeze waits for a prepared transaction until it is resolved',
    mover: (_, engine) => ({
      freeze: async (shard, _lease, fences) => engine.database(shard).setFences(fences),
    }),
  },
  {
    name: 'freezes slot by slot',
    caught: 'a mover: freeze gives up with FREEZE_TIMEOUT, and nothing was changed',
    mover: (sound) => ({
      freeze: async (shard, lease, fences, options) => {
        for (const fence of fences) await sound.freeze(shard, lease, [fence], options)
      },
    }),
  },
  {
    name: 'goes on waiting to freeze after it was aborted',
    caught: 'a mover: an aborted signal ends a freeze that waits, changing nothing',
    mover: (sound) => ({
      freeze: (shard, lease, fences, { maxMs }) =>
        sound.freeze(shard, lease, fences, { maxMs: maxMs / 100 }),
    }),
  },
  {
    name: 'freezes what it can and says nothing of the rest',
    caught:
      'a mover: freeze refuses what it would leave unfrozen: slots of others, and later fences',
    mover: (sound) => ({
      freeze: (shard, lease, fences) => sound.setFences(shard, lease, fences),
    }),
  },
  {
    name: 'captures soon after it has set the fences',
    caught: 'a mover: no write after the fence goes uncaptured',
    mover: (sound) => ({
      setFences: async (shard, lease, fences, capture) => {
        await sound.setFences(shard, lease, fences)
        await moment()
        await sound.setFences(shard, lease, [], capture)
      },
    }),
  },
  {
    name: 'goes on capturing where a slot has gone',
    caught: 'a mover: setFences begins and ends capture with the fences',
    mover: (sound) => ({
      setFences: (shard, lease, fences, capture) =>
        sound.setFences(shard, lease, fences, { begin: capture?.begin }),
    }),
  },
]

const REPORT_TWINS: readonly EngineTwin[] = [
  {
    name: 'adds up rows in the order in which they lie',
    caught: 'a mover: checksums are equal for equal rows, in whichever order and way they came',
    mover: (sound) => ({
      checksums: async (shard, slots) => {
        const sums = new Map<number, { rows: number; hash: string }>()
        for (const slot of slots) {
          const digests = [...(await sound.digests(shard, slot)).values()]
          sums.set(slot, { rows: digests.length, hash: digests.join() })
        }
        return sums
      },
    }),
  },
  {
    name: 'counts rows and looks at nothing in them',
    caught: 'a mover: checksums differ where rows differ, however little',
    mover: (sound) => ({
      checksums: async (shard, slots) => {
        const sums = await sound.checksums(shard, slots)
        return new Map([...sums].map(([slot, { rows }]) => [slot, { rows, hash: String(rows) }]))
      },
    }),
  },
  {
    name: 'looks at each slot at another moment',
    caught: 'a mover: checksums of several slots are of one moment',
    mover: (sound) => ({
      checksums: async (shard, slots) => {
        const sums = new Map<number, { rows: number; hash: string }>()
        for (const slot of slots) {
          for (const [one, sum] of await sound.checksums(shard, [slot])) sums.set(one, sum)
          await moment()
        }
        return sums
      },
    }),
  },
  {
    name: 'leaves out slots without rows',
    caught: 'a mover: checksums are of each slot alone, and of slots without rows as well',
    mover: (sound) => ({
      checksums: async (shard, slots) => {
        const sums = await sound.checksums(shard, slots)
        return new Map([...sums].filter(([, { rows }]) => rows > 0))
      },
    }),
  },
  {
    name: 'gives no digests of marks',
    caught:
      'a mover: digests name every row of a slot, the same on every shard, and tell which differ',
    mover: (sound) => ({
      digests: async (shard, slot) => {
        const digests = await sound.digests(shard, slot)
        return new Map([...digests].filter(([text]) => !text.startsWith('ashlar_mark')))
      },
    }),
  },
  {
    name: 'counts only what the shard owns',
    caught:
      'a mover: count tells exactly how many rows lie under each slot that has some, owned or not',
    mover: (sound, engine) => ({
      count: async (shard, slots) => {
        const { fences } = engine.database(shard)
        const sizes = await sound.count(shard, slots)
        return new Map([...sizes].filter(([slot]) => fences.get(slot)?.state === 'owned'))
      },
    }),
  },
  {
    name: 'cleans slots that it owns',
    caught: 'a mover: clean refuses slots that the shard owns or has frozen, deleting nothing',
    mover: (sound, engine) => ({
      clean: (shard, lease, slots, limit) =>
        pretending(engine, shard, ['owned', 'moved'], () =>
          sound.clean(shard, lease, slots, limit),
        ),
    }),
  },
  {
    name: 'cleans everything at once',
    caught:
      'a mover: clean deletes what lies under slots that are not owned, about so many at once',
    mover: (sound) => ({
      clean: (shard, lease, slots) => sound.clean(shard, lease, slots, ALL),
    }),
  },
  {
    name: 'leaves its log behind',
    caught: 'a mover: release leaves no traces, but rows, fences and the token',
    mover: () => ({ release: async () => undefined }),
  },
  {
    name: 'forgets its token with all else',
    caught: 'a mover: release leaves no traces, but rows, fences and the token',
    database: ReleasedTokens,
  },
]

const there = 'capture by trigger: every acknowledged write is where it belongs, '
const ORACLE_TWINS: readonly EngineTwin[] = [
  {
    name: 'notes no change of marks, by the oracle alone',
    caught: `${there}there, back and there again (1)`,
    database: UnseenMarks,
  },
  {
    name: 'does not see what was prepared, by the oracle alone',
    caught: `${there}there, back and there again (2)`,
    database: UnseenResolve,
  },
  {
    name: 'applies what was put and not what was deleted, by the oracle alone',
    caught: `${there}there, back and there again (3)`,
    mover: putsOnly,
  },
]

export const MOVER_TWINS: readonly EngineTwin[] = [
  ...CAPTURE_TWINS,
  ...COPY_TWINS,
  ...FENCE_TWINS,
  ...REPORT_TWINS,
  ...ORACLE_TWINS,
]
