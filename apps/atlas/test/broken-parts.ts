// Parts with a flaw each; the promise that it breaks must be named.

import { HybridLogicalClock, VectorClock, VersionVector } from '@ashlar/clock'
import { base32, type LeaseGrant, MemoryLeaseStore, Snowflake, SnowflakeCodec } from '@ashlar/id'
import type { CityFile, Edit } from '../src/office.ts'
import type { Parts } from '../src/world.ts'

/** Makes ids of the clock and a counter alone, as some packages do. */
export const naiveIds: Parts = {
  makeIds: ({ lease, now }) => {
    const codec = new SnowflakeCodec(lease!.layout)
    const { workerId } = lease!
    let count = 0
    return { next: () => codec.compose({ timestamp: now!(), workerId, sequence: count++ % 64 }) }
  },
}

/** Makes the ids of the next worker. */
export const foreignIds: Parts = {
  makeIds: (options) => {
    const ids = new Snowflake(options)
    return { next: () => ids.next() + 2n ** 12n }
  },
}

/** Makes ids without asking the lease, on a clock that is an hour ahead. */
export const earlyIds: Parts = {
  makeIds: ({ lease, now }) => {
    const { workerId, layout } = lease!
    return new Snowflake({ workerId, layout, now: () => now!() + 3_600_000 })
  },
}

/** Grants each worker id from the first tick on, whoever had it before. */
export const generousLeases: Parts = {
  makeLeaseStore: (options) => new GenerousStore(options),
}

class GenerousStore extends MemoryLeaseStore {
  override async acquire(owner: string, ttlMs: number): Promise<LeaseGrant> {
    return { ...(await super.acquire(owner, ttlMs)), fromTick: 0 }
  }
}

/** Base 32 from behind. */
export const reversedTexts: Parts = {
  textOfId: (id) => [...base32.encode(id)].reverse().join(''),
}

/** Vectors that count, and learn nothing from what they receive. */
export const deafVectors: Parts = {
  makeVectorClock: (id) => {
    const clock = new VectorClock(id)
    return {
      send: () => clock.send(),
      receive: () => clock.tick(),
      snapshot: () => clock.snapshot(),
    }
  },
}

/** Hybrid clocks that learn nothing from what they receive. */
export const deafClocks: Parts = {
  makeHybridClock: (options) => {
    const clock = new HybridLogicalClock(options)
    return { now: () => clock.now(), receive: () => clock.now() }
  },
}

/** Files that keep one of two values, the later one. */
export const lastWriteWins: Parts = {
  makeFile: () => new FlawedFile((edits) => edits.sort(byTime).slice(-1)),
}

/** Files that keep all they hear of, and know nothing of what was overwritten. */
export const hoarding: Parts = {
  makeFile: () => new FlawedFile((edits) => [...new Set(edits)].sort(byTime)),
}

function byTime(a: Edit, b: Edit): number {
  return a.hlc < b.hlc ? -1 : 1
}

class FlawedFile implements CityFile {
  readonly #keep: (edits: Edit[]) => Edit[]
  readonly #edits: readonly Edit[]
  readonly #context: VersionVector

  constructor(
    keep: (edits: Edit[]) => Edit[],
    edits: readonly Edit[] = [],
    context: VersionVector = VersionVector.empty,
  ) {
    this.#keep = keep
    this.#edits = edits
    this.#context = context
  }

  values(): Edit[] {
    return [...this.#edits]
  }

  context(): VersionVector {
    return this.#context
  }

  put(edit: Edit, context: VersionVector, office: string): FlawedFile {
    return this.#with([edit], this.#context.merge(context).increment(office))
  }

  sync(other: CityFile): FlawedFile {
    const edits = this.#keep([...this.#edits, ...other.values()])
    return this.#with(edits, this.#context.merge(other.context()))
  }

  resolve(merge: (edits: Edit[]) => Edit, office: string): FlawedFile {
    if (this.#edits.length < 2) return this
    return this.put(merge(this.values()), this.#context, office)
  }

  #with(edits: readonly Edit[], context: VersionVector): FlawedFile {
    return new FlawedFile(this.#keep, edits, context)
  }
}
