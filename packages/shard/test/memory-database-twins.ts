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

export class ArrivingOwned extends MemoryDatabase {
  override get fences(): ReadonlyMap<number, Fence> {
    return fencesBut(super.fences, arrived)
  }

  override openSnapshot(): Snapshot {
    const snapshot = super.openSnapshot()
    return { ...snapshot, fences: fencesBut(snapshot.fences, arrived) }
  }
}

/** Notes no change of marks. */
export class UnseenMarks extends MemoryDatabase {
  override apply(changes: readonly RowChange[]): void {
    const isMark = (change: RowChange) => change.versions === this.marks
    super.write(changes.filter(isMark))
    super.apply(changes.filter((change) => !isMark(change)))
  }
}

/** Notes no change that was prepared. */
export class UnseenResolve extends MemoryDatabase {
  #isResolving = false

  override resolve(transaction: string, outcome: Outcome): void {
    this.#isResolving = true
    super.resolve(transaction, outcome)
    this.#isResolving = false
  }

  override apply(changes: readonly RowChange[]): void {
    if (this.#isResolving) this.write(changes)
    else super.apply(changes)
  }
}

/** Notes what moves rows as well. */
export class NotedMoves extends MemoryDatabase {
  #isNoted = false

  override write(changes: readonly RowChange[]): void {
    if (this.#isNoted) super.write(changes)
    else {
      this.#isNoted = true
      this.apply(changes)
      this.#isNoted = false
    }
  }
}

/** Notes a row only under the slot that it has come to. */
export class NotedOnce extends MemoryDatabase {
  constructor() {
    super()
    const note = this.moves.note.bind(this.moves)
    this.moves.note = (row, commit) => note({ ...row, slots: row.slots.slice(-1) }, commit)
  }
}

/** Lets any worker write. */
export class ForgottenTokens extends MemoryDatabase {
  constructor() {
    super()
    this.moves.admit = () => undefined
  }
}

/** Forgets the token of a job with all else. */
export class ReleasedTokens extends MemoryDatabase {
  constructor() {
    super()
    const release = this.moves.release.bind(this.moves)
    this.moves.release = (job) => {
      release(job)
      this.moves.admit = () => undefined
    }
  }
}

const arrived = (fence: Fence): Fence =>
  fence.state === 'arriving' ? { ...fence, state: 'owned' } : fence

/** A fence that refuses nothing. */
const owned = (fence: Fence): Fence => ({ ...fence, state: 'owned', epoch: 0 })

/** Fences as they are, but in what state and since when is for `change` to say. */
function fencesBut(
  fences: ReadonlyMap<number, Fence>,
  change: (fence: Fence) => Fence,
): ReadonlyMap<number, Fence> {
  return new Map([...fences].map(([slot, fence]) => [slot, change(fence)]))
}
