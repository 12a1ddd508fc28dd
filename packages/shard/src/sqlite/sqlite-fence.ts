// The fences of a shard in its file, and the comparison that engine.ts draws. A reader sees the
// fences of its snapshot; a writer holds the file's only write lock, so no fence changes meanwhile.

import type { Fence, FenceState, SlotClaim } from '../engine.ts'
import { ShardError, ShardFrozen, ShardMoved, StaleEpoch } from '../shard-error.ts'
import { show } from '../show.ts'
import { BOOKKEEPING, isInstalled, OWNED_SLOTS } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { exclusively } from './sqlite-database.ts'

const STATES: readonly FenceState[] = ['owned', 'frozen', 'arriving', 'moved']

const FIND = 'select state, epoch from ashlar_fence where slot = ?'

/**
 * Compares a claim with the fences, in the transaction that is open.
 *
 * @throws {ShardError} `SHARD_MOVED`, `STALE_EPOCH`, `SHARD_FROZEN`
 */
export function checkClaim(
  connection: SqliteConnection,
  shard: string,
  { slots, epoch }: SlotClaim,
  readOnly: boolean,
): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const fence = connection.get(FIND, slot)
    if (fence === undefined) throw new ShardMoved(shard, slot, 0)
    const fenceEpoch = Number(fence[1])
    if (fence[0] === 'moved') throw new ShardMoved(shard, slot, fenceEpoch)
    if (fenceEpoch > epoch) throw new StaleEpoch(shard, slot, fenceEpoch)
    if (fence[0] === 'arriving' || (fence[0] === 'frozen' && !readOnly)) {
      throw new ShardFrozen(shard, slot, fenceEpoch)
    }
  }
}

/** The fence of a slot. */
export function findFence(connection: SqliteConnection, slot: number): Fence | undefined {
  const row = connection.get(FIND, slot)
  return row && { slot, state: row[0] as FenceState, epoch: Number(row[1]) }
}

/** Whether the rows under a fence in that state count. */
export function isOwned(state: FenceState | undefined): boolean {
  return state === 'owned' || state === 'frozen'
}

/** All fences, by slot. */
export function readFences(connection: SqliteConnection): Fence[] {
  if (!isInstalled(connection)) return []
  const rows = connection.all('select slot, state, epoch from ashlar_fence order by slot')
  return rows.map(({ slot, state, epoch }) => ({
    slot: Number(slot),
    state: state as FenceState,
    epoch: Number(epoch),
  }))
}

/** Writes fences, all or none. */
export function writeFences(connection: SqliteConnection, fences: readonly Fence[]): void {
  checkFences(fences)
  exclusively(connection.database, () => {
    if (!isInstalled(connection)) connection.database.exec(BOOKKEEPING)
    putFences(connection, fences)
  })
}

/** Writes fences that were checked, in the transaction that is open. */
export function putFences(connection: SqliteConnection, fences: readonly Fence[]): void {
  for (const { slot, state, epoch } of fences) {
    connection.run(
      `insert into ashlar_fence values (?, ?, ?) on conflict do update
        set state = excluded.state, epoch = excluded.epoch where epoch <= excluded.epoch`,
      slot,
      state,
      epoch,
    )
  }
}

/** @throws {ShardError} `INVALID_OPTION` for what no fence can be. */
export function checkFences(fences: readonly Fence[]): void {
  for (const { slot, state, epoch } of fences) {
    if (!Number.isSafeInteger(slot) || !Number.isSafeInteger(epoch)) {
      throw new ShardError(
        'INVALID_OPTION',
        `a fence has slot ${show(slot)} and epoch ${show(epoch)}; both are integers`,
      )
    }
    if (!STATES.includes(state)) {
      throw new ShardError(
        'INVALID_OPTION',
        `the fence of slot ${slot} is ${show(state)}; it is ${STATES.join(' or ')}`,
      )
    }
  }
}

/** The slots owned in a snapshot, read once a version of the fences. */
export class OwnedSlots {
  #version = -1
  #slots: readonly number[] = []

  read(connection: SqliteConnection): readonly number[] {
    if (!isInstalled(connection)) return []
    const version = Number(connection.get('select version from ashlar_fence_version')![0])
    if (version !== this.#version) {
      const rows = connection.all(`${OWNED_SLOTS} ORDER BY slot`)
      this.#slots = Object.freeze(rows.map(({ slot }) => Number(slot)))
      this.#version = version
    }
    return this.#slots
  }
}
