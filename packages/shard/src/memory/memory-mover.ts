// Moves slots between databases in memory. Each method is one step on a shard, or a reading step on
// the source and then a writing one on the target, in which it checks its lease and does all or
// nothing; between the two anything may happen, as between two servers.

import type { Fence, TableSpec } from '../engine.ts'
import { FreezeTimeout, PlanConflict, ShardError } from '../shard-error.ts'
import type {
  CaptureKind,
  ChangeBatch,
  CopyUnit,
  DirtyKey,
  MoveLease,
  ShardHealth,
  SlotChecksum,
  SlotMover,
  SlotSize,
} from '../slot-mover.ts'
import { abortable, type Timers } from '../timers.ts'
import { FenceChange } from './fence-change.ts'
import type { RowChange } from './memory-database.ts'
import type { MemoryShard } from './memory-shard.ts'
import {
  isOwned,
  type MovedRow,
  putMoved,
  referenceRows,
  replaceReference,
  replaceUnder,
  rowsUnder,
} from './moved-rows.ts'
import { DigestSum, digestText, rowDigest } from './row-digest.ts'
import { primaryKeyText, sizeBytes } from './stored-row.ts'
import { passWriters } from './writer-barrier.ts'

/** What a mover needs of its engine. */
export interface MoverSetting {
  readonly shard: (id: string) => MemoryShard
  readonly wait: { readonly timers: Timers; readonly waitMs: number }
  readonly monotonic: () => number
  readonly unitRows: number
}

type Signal = { readonly signal?: AbortSignal | undefined }

/**
 * The mover of a {@link MemoryEngine}. Its steps are `mover.` with the name of the method, on the
 * shard that it names; `copy`, `apply` and `copyReference` take one with `.read` at its end on the
 * source before.
 */
export class MemoryMover implements SlotMover {
  readonly captures: readonly CaptureKind[] = ['trigger']
  readonly unitRows: number
  readonly #setting: MoverSetting

  constructor(setting: MoverSetting) {
    this.unitRows = setting.unitRows
    this.#setting = setting
  }

  inspect(
    shard: string,
    tables: readonly TableSpec[],
    { role, capture }: { readonly role: 'source' | 'target'; readonly capture: CaptureKind },
  ): Promise<readonly string[]> {
    return this.#step(shard, 'inspect', ({ database }) => {
      // A target may be new: it is given its tables before anything is copied.
      const missing = tables.filter(({ name }) => role === 'source' && !database.tables.has(name))
      return [
        ...missing.map(({ name }) => `shard ${shard} has no table ${name}; install it first`),
        ...(this.captures.includes(capture) ? [] : [captureRefusal(capture)]),
      ]
    })
  }

  count(shard: string, slots?: readonly number[]): Promise<ReadonlyMap<number, SlotSize>> {
    return this.#step(shard, 'count', ({ database }) => {
      const among = slots === undefined ? undefined : new Set(slots)
      const sizes = new Map<number, SlotSize>()
      for (const { spec, versions } of database.tables.values()) {
        if (spec.kind === 'reference') continue
        for (const [, { slot, values }] of versions.all(database.commit)) {
          if (among !== undefined && !among.has(slot)) continue
          const { rows, bytes } = sizes.get(slot) ?? { rows: 0, bytes: 0 }
          sizes.set(slot, { rows: rows + 1, bytes: bytes + sizeBytes(values) })
        }
      }
      return sizes
    })
  }

  async health(shard: string): Promise<ShardHealth> {
    const begin = this.#setting.monotonic()
    await this.#step(shard, 'health', () => undefined)
    return { latencyMs: this.#setting.monotonic() - begin, replicaLagMs: undefined }
  }

  claim(shard: string, lease: MoveLease): Promise<void> {
    return this.#write(shard, 'claim', lease, () => undefined)
  }

  startCapture(
    shard: string,
    lease: MoveLease,
    options: {
      readonly capture: CaptureKind
      readonly slots: readonly number[]
      readonly tables: readonly TableSpec[]
      readonly maxBarrierMs: number
    } & Signal,
  ): Promise<void> {
    const { capture, slots, maxBarrierMs: maxMs, signal } = options
    return this.#step(shard, 'startCapture', async (place) => {
      signal?.throwIfAborted()
      if (!this.captures.includes(capture)) {
        throw new ShardError('UNSUPPORTED', captureRefusal(capture), { shard })
      }
      const { moves } = place.database
      moves.admit(shard, lease)
      await passWriters(place, slots, { timers: this.#setting.wait.timers, maxMs, signal })
      moves.admit(shard, lease)
      moves.begin(lease.job, slots)
    })
  }

  changes(shard: string, lease: MoveLease, limit: number): Promise<ChangeBatch> {
    return this.#write(shard, 'changes', lease, ({ database }) =>
      database.moves.changes(lease.job, limit),
    )
  }

  acknowledge(shard: string, lease: MoveLease, batch: ChangeBatch): Promise<void> {
    return this.#write(shard, 'acknowledge', lease, ({ database }) =>
      database.moves.acknowledge(lease.job, batch),
    )
  }

  async copy(
    from: string,
    to: string,
    lease: MoveLease,
    { slots, position }: CopyUnit,
    { signal }: Signal = {},
  ): Promise<SlotSize> {
    signal?.throwIfAborted()
    const among = new Set(slots)
    const rows = await this.#step(from, 'copy.read', ({ database }) => [
      ...rowsUnder(database, among),
    ])
    signal?.throwIfAborted()
    await this.#write(to, 'copy', lease, (target) => {
      target.database.write(replaceUnder(target, among, rows))
      target.database.moves.setPosition(lease.job, from, position)
    })
    const sizes = rows.map(({ row }) => sizeBytes(row.values))
    return { rows: rows.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
  }

  position(from: string, to: string, job: string): Promise<number> {
    return this.#step(to, 'position', ({ database }) => database.moves.position(job, from))
  }

  setPosition(from: string, to: string, lease: MoveLease, position: number): Promise<void> {
    return this.#write(to, 'setPosition', lease, ({ database }) =>
      database.moves.setPosition(lease.job, from, position),
    )
  }

  async apply(
    from: string,
    to: string,
    lease: MoveLease,
    keys: readonly DirtyKey[],
    slots: readonly number[],
  ): Promise<void> {
    const among = new Set(slots)
    const rows = await this.#step(from, 'apply.read', ({ database }) =>
      keys.map(({ table, primaryKey }): MovedRow => {
        const found = database.movableTable(table)
        const key = primaryKeyText(table, found.primaryKey, primaryKey)
        return { table, key, row: found.versions.at(key, database.commit) }
      }),
    )
    await this.#write(to, 'apply', lease, (target) => {
      target.database.write(rows.flatMap((row) => putMoved(target, among, row)))
    })
  }

  freeze(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    { maxMs, signal }: { readonly maxMs: number } & Signal,
  ): Promise<void> {
    return this.#step(shard, 'freeze', async (place) => {
      signal?.throwIfAborted()
      const { timers } = this.#setting.wait
      const change = new FenceChange(place)
      const late = () => change.fail(new FreezeTimeout(shard, maxMs))
      const abort = () => change.fail(signal?.reason)
      const timer = timers.setTimeout(late, maxMs)
      signal?.addEventListener('abort', abort, { once: true })
      try {
        place.database.moves.admit(shard, lease)
        await change.take(fences.map((fence) => fence.slot))
        place.database.moves.admit(shard, lease)
        for (const fence of fences) checkFreezable(place, fence)
        place.database.setFences(fences)
      } finally {
        timers.clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        change.close()
      }
    })
  }

  setFences(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    capture: {
      readonly begin?: readonly number[] | undefined
      readonly end?: readonly number[] | undefined
    } = {},
  ): Promise<void> {
    return this.#step(shard, 'setFences', async (place) => {
      const change = new FenceChange(place)
      try {
        place.database.moves.admit(shard, lease)
        await change.take(
          fences.map((fence) => fence.slot),
          this.#setting.wait,
        )
        place.database.moves.admit(shard, lease)
        place.database.setFences(fences)
        place.database.moves.end(lease.job, capture.end ?? [])
        if (capture.begin !== undefined) place.database.moves.begin(lease.job, capture.begin)
      } finally {
        change.close()
      }
    })
  }

  async checksums(
    shard: string,
    slots: readonly number[],
    { signal }: Signal = {},
  ): Promise<ReadonlyMap<number, SlotChecksum>> {
    signal?.throwIfAborted()
    const summed = this.#step(shard, 'checksums', ({ database }) => {
      const sums = new Map(slots.map((slot) => [slot, new DigestSum()]))
      for (const { table, row } of rowsUnder(database, new Set(slots))) {
        sums.get(row.slot)!.add(rowDigest(table, row))
      }
      return new Map([...sums].map(([slot, sum]) => [slot, sum.checksum]))
    })
    return abortable(summed, signal)
  }

  digests(shard: string, slot: number): Promise<ReadonlyMap<string, string>> {
    return this.#step(shard, 'digests', ({ database }) => {
      const rows = [...rowsUnder(database, new Set([slot]))]
      const entry = ({ table, key, row }: (typeof rows)[number]) =>
        [`${table} ${key}`, digestText(rowDigest(table, row))] as const
      return new Map(rows.map(entry))
    })
  }

  async copyReference(from: string, to: string, lease: MoveLease): Promise<void> {
    const rows = await this.#step(from, 'copyReference.read', ({ database }) =>
      referenceRows(database),
    )
    await this.#write(to, 'copyReference', lease, ({ database }) =>
      database.write(replaceReference(database, rows)),
    )
  }

  clean(shard: string, lease: MoveLease, slots: readonly number[], limit: number): Promise<number> {
    return this.#write(shard, 'clean', lease, ({ database }) => {
      for (const slot of slots) {
        if (!isOwned(database.fences.get(slot)?.state)) continue
        throw new PlanConflict(
          `shard ${shard} owns slot ${slot}: its rows are not leftovers to be deleted`,
          { shard, slot },
        )
      }
      const left: RowChange[] = []
      for (const { table, key } of rowsUnder(database, new Set(slots))) {
        if (left.length >= limit) break
        left.push({ versions: database.movableTable(table).versions, key, row: undefined })
      }
      database.write(left)
      return left.length
    })
  }

  release(shard: string, lease: MoveLease): Promise<void> {
    return this.#write(shard, 'release', lease, ({ database }) => database.moves.release(lease.job))
  }

  traces(shard: string): Promise<readonly string[]> {
    return this.#step(shard, 'traces', ({ database }) => database.moves.traces())
  }

  /** A step that its lease must allow. */
  #write<T>(
    shard: string,
    label: string,
    lease: MoveLease,
    effect: (place: MemoryShard) => T,
  ): Promise<T> {
    return this.#step(shard, label, (place) => {
      place.database.moves.admit(shard, lease)
      return effect(place)
    })
  }

  async #step<T>(
    id: string,
    label: string,
    effect: (place: MemoryShard) => T | Promise<T>,
  ): Promise<T> {
    const place = this.#setting.shard(id)
    return place.steps.run(`mover.${label}`, () => effect(place))
  }
}

function captureRefusal(capture: CaptureKind): string {
  return `the memory engine cannot capture changes by ${capture}, only by trigger`
}

/** After a freeze the slot must be frozen: a fence that would be left out is refused. */
function checkFreezable({ id, database }: MemoryShard, { slot, epoch }: Fence): void {
  const present = database.fences.get(slot)
  if (present !== undefined && isOwned(present.state) && present.epoch <= epoch) return
  throw new PlanConflict(
    `slot ${slot} of shard ${id} cannot be frozen at epoch ${epoch}: ` +
      (present === undefined
        ? 'the shard has no fence for it'
        : `it is ${present.state} at epoch ${present.epoch}`),
    { shard: id, slot, epoch: present?.epoch },
  )
}
