// Clients that write and read while slots move, and the ledger of what was acknowledged to them: a
// read must never give less, and at the end every acknowledged write must be where its key lies.

import type { ShardRouter } from '@ashlar/shard'
import { diceOf } from '../../atlas/src/dice.ts'

/** Rows that there are from the beginning. */
export const ROWS = 480

/** What the clients have seen. */
export interface CrowdFigures {
  readonly reads: number
  readonly writes: number
  readonly errors: number
  /** Reads that gave less than was acknowledged. */
  readonly stale: number
}

/** The clients. */
export class ReshardCrowd {
  readonly #router: ShardRouter
  readonly #now: () => number
  readonly #roll: () => number
  readonly #acknowledged = new Map<string, number>()
  #version = 0
  #counts = { reads: 0, writes: 0, errors: 0, stale: 0 }
  /** How long each operation took that ended since this was last taken, in milliseconds. */
  #took: number[] = []
  /** When operations under way were begun. */
  readonly #underWay = new Set<{ readonly startedMs: number }>()

  constructor(router: ShardRouter, seed: number, now: () => number) {
    this.#router = router
    this.#now = now
    this.#roll = diceOf(seed * 53 + 9)
  }

  get figures(): CrowdFigures {
    return { ...this.#counts }
  }

  /** What was acknowledged for each key. */
  get acknowledged(): ReadonlyMap<string, number> {
    return this.#acknowledged
  }

  /** How long the operation has been under way that has been so for longest. */
  get oldestMs(): number {
    let oldest = this.#now()
    for (const { startedMs } of this.#underWay) oldest = Math.min(oldest, startedMs)
    return this.#now() - oldest
  }

  /** Writes every row once. */
  async fill(): Promise<void> {
    const keys = Array.from({ length: ROWS }, (_, at) => `user:${at}`)
    await Promise.all(keys.map((key) => this.#write(key)))
    this.#took = []
    this.#counts = { reads: 0, writes: 0, errors: 0, stale: 0 }
  }

  /** Begins so many operations, three writes to each two reads. */
  begin(operations: number): void {
    for (let i = 0; i < operations; i++) {
      const key = `user:${Math.floor(this.#roll() * ROWS)}`
      const isWrite = this.#roll() < 0.6
      const one = { startedMs: this.#now() }
      this.#underWay.add(one)
      const end = (): void => {
        this.#underWay.delete(one)
        this.#took.push(this.#now() - one.startedMs)
      }
      const work = isWrite ? this.#write(key) : this.#read(key)
      work.then(end, () => {
        end()
        this.#counts.errors++
      })
    }
  }

  /** How long operations took that ended since the last call. */
  takeTook(): readonly number[] {
    const took = this.#took
    this.#took = []
    return took
  }

  async #write(key: string): Promise<void> {
    const value = ++this.#version
    // In one transaction with its read, so that a later value is never overwritten by an earlier.
    await this.#router.withShard(
      key,
      async (tx) => {
        const row = await tx.get('users', { id: key })
        await tx.put('users', { id: key, value: Math.max(value, Number(row?.value ?? 0)) })
      },
      { table: 'users' },
    )
    this.#counts.writes++
    this.#acknowledged.set(key, Math.max(value, this.#acknowledged.get(key) ?? 0))
  }

  async #read(key: string): Promise<void> {
    const least = this.#acknowledged.get(key) ?? 0
    const row = await this.#router.withShard(key, (tx) => tx.get('users', { id: key }), {
      table: 'users',
    })
    this.#counts.reads++
    if (Number(row?.value ?? 0) < least) this.#counts.stale++
  }
}
