// The bad days of Snowflake packages, each as a scenario that ours and the peers go through:
// a burst in one millisecond, a clock that steps back, callers at the same time, a worker id out
// of range. What counts is ids given twice, and ids that say something else than was asked.
//
// Most peers read Date themselves, so a scenario puts its own in its place while it runs.

import { createRequire } from 'node:module'
import { SnowflakeId } from '@akashrajpurohit/snowflake-id'
import { layouts, Snowflake, SnowflakeCodec } from '@ashlar/id'
import { Snowflake as Sapphire } from '@sapphire/snowflake'
import { Snowflake as Skorotkiewicz } from '@skorotkiewicz/snowflake-id'
import { Snowflake as NodejsSnowflake } from 'nodejs-snowflake'
import { SnowflakeIdv1 } from 'simple-flakeid'

/** Makes ids for one worker. */
export interface Maker {
  readonly next: () => unknown
}

/** What came out of a scenario. */
export interface Outcome {
  readonly made: number
  /** How many of them were there before. */
  readonly duplicates: number
  /** How many of them are below the one before. */
  readonly inversions: number
  /** Calls that threw instead of giving an id. */
  readonly refused: number
  /** How often the clock was read. */
  readonly reads: number
}

const require = createRequire(import.meta.url)
const FlakeId: new (options: { id: number }) => { next(): Buffer } = require('flake-idgen')
const SnowflakeIdPackage: new (options: { mid: number }) => { generate(): string } =
  require('snowflake-id').default

/** The generators that answer at once, by package. */
export const makers: Readonly<Record<string, (workerId: number) => Maker>> = {
  '@ashlar/id': (workerId) => {
    const ids = new Snowflake({ workerId, now: () => Date.now() })
    return { next: () => ids.next() }
  },
  '@sapphire/snowflake': (workerId) => {
    const ids = new Sapphire(layouts.twitter.epoch)
    ids.processId = BigInt(workerId & 31)
    ids.workerId = BigInt(workerId >> 5)
    return { next: () => ids.generate() }
  },
  'nodejs-snowflake': (workerId) => {
    const ids = new NodejsSnowflake({ instance_id: workerId })
    return { next: () => ids.getUniqueID() }
  },
  'flake-idgen': (workerId) => {
    const ids = new FlakeId({ id: workerId })
    return { next: () => ids.next().readBigUInt64BE() }
  },
  'snowflake-id': (mid) => {
    const ids = new SnowflakeIdPackage({ mid })
    return { next: () => ids.generate() }
  },
  'simple-flakeid': (workerId) => {
    const ids = new SnowflakeIdv1({ workerId })
    return { next: () => ids.NextBigId() }
  },
  '@akashrajpurohit/snowflake-id': (workerId) => {
    const ids = SnowflakeId({ workerId })
    return { next: () => ids.generate() }
  },
}

const START_MS = 1_750_000_000_000

/** 10,000 ids by a clock of 20,000 readings a millisecond: a burst that spinning can end. */
export function burst(maker: (workerId: number) => Maker): Outcome {
  return run(maker, 10_000, (reads) => START_MS + Math.floor(reads / 20_000))
}

/** 50,000 ids in a tight loop by the machine's own clock. */
export function tightLoop(maker: (workerId: number) => Maker): Outcome {
  const { next } = maker(1)
  return collect(50_000, next)
}

/** 50 ids, the clock steps back 1 ms, 50 ids, the clock is where it was, 50 ids. */
export function backAndReturn(maker: (workerId: number) => Maker): Outcome {
  return run(maker, 150, (_, calls) => START_MS - (calls >= 50 && calls < 100 ? 1 : 0))
}

/** 50,000 ids asked for by 50,000 callers at once, of the generators that are async. */
export async function atTheSameTime(): Promise<Readonly<Record<string, Outcome>>> {
  const all = async (next: () => Promise<unknown>): Promise<Outcome> => {
    // One millisecond for all who call at once; for who then waits, time goes on.
    const start = performance.now()
    const clock = putClock((reads) => {
      return reads < 50_000 ? START_MS : START_MS + 1 + Math.floor(performance.now() - start)
    })
    try {
      const ids = await Promise.all(Array.from({ length: 50_000 }, next))
      const duplicates = ids.length - new Set(ids).size
      return { made: ids.length, duplicates, inversions: 0, refused: 0, reads: clock.reads() }
    } finally {
      clock.remove()
    }
  }
  const ours = new Snowflake({ workerId: 1, now: () => Date.now() })
  const peer = new Skorotkiewicz(1)
  return {
    '@ashlar/id': await all(() => ours.nextAsync()),
    '@skorotkiewicz/snowflake-id': await all(() => peer.generate()),
  }
}

/** How many of the worker ids 0, 1, 1023, 1024 and 5000 are accepted, but not those of the id. */
export function wrongWorkers(name: string): number {
  const codec = new SnowflakeCodec({
    ...{ epoch: 0, unitMs: 1, timeBits: 42, workerBits: 10, sequenceBits: 12 },
  })
  const isWrong = (workerId: number): boolean => {
    try {
      const id = String(makers[name]!(workerId).next())
      return codec.decode(id).workerId !== workerId
    } catch {
      return false
    }
  }
  return [0, 1, 1023, 1024, 5000].filter(isWrong).length
}

/** How many of 100,000 ids with all low bits set are read with a time that is not theirs. */
export function wrongTimes(): Readonly<Record<string, number>> {
  const { epoch } = layouts.twitter
  const peer = new Sapphire(epoch)
  const ours = new SnowflakeCodec(layouts.twitter)
  const wrong = { '@ashlar/id': 0, '@sapphire/snowflake': 0 }
  for (let i = 0; i < 100_000; i++) {
    const ms = START_MS + i * 997
    const id = (BigInt(ms - epoch) << 22n) | 0x3fffffn
    if (ours.decode(id).timestamp !== ms) wrong['@ashlar/id']++
    if (peer.timestampFrom(id) !== ms) wrong['@sapphire/snowflake']++
  }
  return wrong
}

/** Runs a maker by a clock of the readings and calls so far. */
function run(
  maker: (workerId: number) => Maker,
  count: number,
  time: (reads: number, calls: number) => number,
): Outcome {
  let calls = 0
  const clock = putClock((reads) => time(reads, calls))
  try {
    const { next } = maker(1)
    const outcome = collect(count, () => {
      try {
        return next()
      } finally {
        calls++
      }
    })
    return { ...outcome, reads: clock.reads() }
  } finally {
    clock.remove()
  }
}

function collect(count: number, next: () => unknown): Outcome {
  const ids: unknown[] = []
  let refused = 0
  for (let i = 0; i < count; i++) {
    try {
      ids.push(next())
    } catch {
      refused++
    }
  }
  const numbers = ids.map((id) => BigInt(String(id)))
  const duplicates = ids.length - new Set(numbers).size
  const inversions = numbers.filter((id, i) => i > 0 && id < numbers[i - 1]!).length
  return { made: ids.length, duplicates, inversions, refused, reads: 0 }
}

/** Puts a clock in the place of the machine's: behind Date.now() and new Date(). */
function putClock(time: (reads: number) => number): { reads(): number; remove(): void } {
  const real = globalThis.Date
  let reads = 0
  globalThis.Date = class extends real {
    constructor(...given: [] | [number]) {
      super(given.length === 0 ? time(reads++) : given[0])
    }

    static override now(): number {
      return time(reads++)
    }
  } as DateConstructor
  return {
    reads: () => reads,
    remove: () => {
      globalThis.Date = real
    },
  }
}
