// Locks with queues, in order of arrival. A request that would close a circle of waiting
// transactions is refused at once; circles over several databases, which no database sees, end by
// a bounded wait. So nothing waits for ever.
//
//               shared  intent  exclusive
//   shared        ok      -        -       who reads all of something
//   intent        -       ok       -       who changes parts of it
//   exclusive     -       -        -       who changes it

import { ShardError } from '../shard-error.ts'
import type { Timers } from '../timers.ts'

/** How a lock is held. */
export type LockMode = 'shared' | 'intent' | 'exclusive'

const BITS = { shared: 1, intent: 2, exclusive: 4 } as const

/** Whoever holds locks: a transaction, or one change of fences. */
export class LockOwner {
  readonly held: Map<string, number> = new Map()
  /** Called when it gives up all that it holds. */
  readonly onRelease: Set<() => void> = new Set()
  waiting: Waiter | undefined
}

interface Waiter {
  readonly owner: LockOwner
  readonly key: string
  readonly bits: number
  readonly grant: () => void
  readonly refuse: (reason: unknown) => void
}

interface Lock {
  readonly holders: Map<LockOwner, number>
  readonly queue: Waiter[]
}

/** The locks of one database. */
export class LockTable {
  readonly #locks = new Map<string, Lock>()

  /** How many locks are held or waited for. */
  get size(): number {
    return this.#locks.size
  }

  /** Who holds a lock, in whatever way. */
  holders(key: string): LockOwner[] {
    return [...(this.#locks.get(key)?.holders.keys() ?? [])]
  }

  /**
   * Takes a lock, or strengthens one that the owner holds: undefined where it is granted at once.
   *
   * @throws {ShardError} `ROLLED_BACK`, as a rejection, where waiting would be a deadlock.
   */
  acquire(owner: LockOwner, key: string, mode: LockMode): Promise<void> | undefined {
    const lock: Lock = this.#locks.get(key) ?? { holders: new Map(), queue: [] }
    this.#locks.set(key, lock)
    const bits = BITS[mode]
    const isHolder = lock.holders.has(owner)
    const rivals = isHolder ? [] : lock.queue
    if (blockers(lock, owner, bits, rivals).length === 0) {
      hold(lock, owner, key, bits)
      return undefined
    }
    return new Promise((grant, refuse) => {
      const waiter = { owner, key, bits, grant, refuse }
      // Who holds it already goes first: nobody behind could be served before.
      if (isHolder) lock.queue.unshift(waiter)
      else lock.queue.push(waiter)
      owner.waiting = waiter
      if (this.#isDeadlock(owner)) this.cancel(owner, refusal('they wait for each other'))
    })
  }

  /** As `acquire`, but refuses after `waitMs`. */
  async acquireWithin(
    owner: LockOwner,
    key: string,
    mode: LockMode,
    { timers, waitMs }: { timers: Timers; waitMs: number },
  ): Promise<void> {
    const wait = this.acquire(owner, key, mode)
    if (wait === undefined) return
    const late = () => this.cancel(owner, refusal(`it held out for ${waitMs} ms`))
    const handle = timers.setTimeout(late, waitMs)
    try {
      await wait
    } finally {
      timers.clearTimeout(handle)
    }
  }

  /** Ends the wait of an owner, if it waits, with that reason. */
  cancel(owner: LockOwner, reason: unknown): void {
    const waiter = owner.waiting
    if (waiter === undefined) return
    const lock = this.#locks.get(waiter.key)!
    lock.queue.splice(lock.queue.indexOf(waiter), 1)
    owner.waiting = undefined
    waiter.refuse(reason)
    this.#serve(waiter.key, lock)
  }

  /** Gives up all that an owner holds. */
  release(owner: LockOwner): void {
    const keys = [...owner.held.keys()]
    owner.held.clear()
    for (const key of keys) {
      const lock = this.#locks.get(key)!
      lock.holders.delete(owner)
      this.#serve(key, lock)
    }
    for (const call of [...owner.onRelease]) call()
  }

  #serve(key: string, lock: Lock): void {
    for (let i = 0; i < lock.queue.length; ) {
      const { owner, bits, grant } = lock.queue[i]!
      if (blockers(lock, owner, bits, lock.queue.slice(0, i)).length > 0) {
        i += 1
        continue
      }
      lock.queue.splice(i, 1)
      owner.waiting = undefined
      hold(lock, owner, key, bits)
      grant()
    }
    if (lock.holders.size === 0 && lock.queue.length === 0) this.#locks.delete(key)
  }

  /** Is there a way from the owner back to itself, from who waits to whom it waits for? */
  #isDeadlock(start: LockOwner): boolean {
    const visited = new Set<LockOwner>()
    const open = [start]
    for (let owner = open.pop(); owner !== undefined; owner = open.pop()) {
      const waiter = owner.waiting
      if (waiter === undefined || visited.has(owner)) continue
      visited.add(owner)
      const lock = this.#locks.get(waiter.key)!
      const ahead = lock.queue.slice(0, lock.queue.indexOf(waiter))
      const next = blockers(lock, owner, waiter.bits, ahead)
      if (next.includes(start)) return true
      open.push(...next)
    }
    return false
  }
}

function hold(lock: Lock, owner: LockOwner, key: string, bits: number): void {
  const all = (lock.holders.get(owner) ?? 0) | bits
  lock.holders.set(owner, all)
  owner.held.set(key, all)
}

/** Who must end first: others who hold it, or came before, in a way that does not go with it. */
function blockers(
  { holders }: Lock,
  owner: LockOwner,
  bits: number,
  ahead: readonly Waiter[],
): LockOwner[] {
  const found: LockOwner[] = []
  for (const [other, held] of holders) {
    if (other !== owner && isConflict(held, bits)) found.push(other)
  }
  for (const waiter of ahead) {
    if (waiter.owner !== owner && isConflict(waiter.bits, bits)) found.push(waiter.owner)
  }
  return found
}

function isConflict(a: number, b: number): boolean {
  const both = a | b
  return both >= BITS.exclusive || both === (BITS.shared | BITS.intent)
}

function refusal(why: string): ShardError {
  return new ShardError(
    'ROLLED_BACK',
    `another transaction holds what this one needs, and ${why}; nothing was changed, run it again`,
  )
}
