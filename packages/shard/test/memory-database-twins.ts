// Memory databases that each break one rule, for twins of the engine.

import type { Fence, Outcome } from '@ashlar/shard'
import { MemoryDatabase } from '@ashlar/shard/memory'
import { LockOwner } from '../src/memory/lock-table.ts'
import type { RowChange, Snapshot } from '../src/memory/memory-database.ts'

export class UncheckedReads extends MemoryDatabase {
  override openSnapshot(): Snapshot {
    const snapshot = super.openSnapshot()
    return { ...snapshot, fences: fencesBut(snapshot.fences, owned) }
  }
}

export class FrozenWrites extends MemoryDatabase {
  override get fences(): ReadonlyMap<number, Fence> {
    const thaw = (fence: Fence): Fence =>
      fence.state === 'frozen' ? { ...fence, state: 'owned' } : fence
    return fencesBut(super.fences, thaw)
  }
}

export class UnlockedPrepare extends MemoryDatabase {
  override prepare(transaction: string, owner: LockOwner, changes: readonly RowChange[]): void {
    super.prepare(transaction, new LockOwner(), changes)
    this.locks.release(owner)
  }
}

export class TwiceApplied extends MemoryDatabase {
  readonly #changes = new Map<string, readonly RowChange[]>()

  override prepare(transaction: string, owner: LockOwner, changes: readonly RowChange[]): void {
    this.#changes.set(transaction, changes)
    super.prepare(transaction, owner, changes)
  }

  override resolve(transaction: string, outcome: Outcome): void {
    super.resolve(transaction, outcome)
    if (outcome === 'commit') this.apply(this.#changes.get(transaction) ?? [])
  }
}

export class RolledBackAnyway extends MemoryDatabase {
  override resolve(transaction: string): void {
    super.resolve(transaction, 'commit')
  }
}

export class ForgottenFences extends MemoryDatabase {
  override setFences(fences: readonly Fence[]): void {
    const [first] = fences
    super.setFences(first === undefined ? [] : fences.slice(0, Math.max(1, fences.length - 1)))
  }
}

export class LiveReads extends MemoryDatabase {
  override openSnapshot(): Snapshot {
    const snapshot = super.openSnapshot()
    // A commit that is never reached: whatever was committed last is seen.
    return { ...snapshot, commit: Number.MAX_SAFE_INTEGER }
  }
}

/** A fence that refuses nothing. */
const owned = (fence: Fence): Fence => ({ ...fence, state: 'owned', epoch: 0 })

/** Fences as they are, but in what state and since when is for `change` to say. */
function fencesBut(
  fences: ReadonlyMap<number, Fence>,
  change: (fence: Fence) => Fence,
): ReadonlyMap<number, Fence> {
  return new Map([...fences].map(([slot, fence]) => [slot, change(fence)]))
}
