// Decisions of transactions over shards, in memory. The first decision of a transaction stands; one
// that was settled is kept for a time, so that a late coordinator still finds it, then dropped.

import type { Outcome } from '../engine.ts'
import type { Decision, DecisionLog } from '../map-store.ts'
import type { EngineSteps } from './engine-steps.ts'

/** What a decision log keeps, by transaction. */
export interface KeptDecisions {
  readonly unsettled: Map<string, Decision>
  readonly settled: Map<string, { readonly decision: Decision; readonly keptUntil: number }>
}

const DAY_MS = 86_400_000

/** The decision log of a {@link MemoryMapStore}. */
export class MemoryDecisionLog implements DecisionLog {
  readonly #kept: () => KeptDecisions
  readonly #steps: EngineSteps
  readonly #now: () => number

  constructor(kept: () => KeptDecisions, steps: EngineSteps, now: () => number) {
    this.#kept = kept
    this.#steps = steps
    this.#now = now
  }

  decide(decision: Decision): Promise<Outcome> {
    const copy = copyDecision(decision)
    return this.#steps.run('decide', () => {
      const standing = this.#find(copy.transaction)
      if (standing !== undefined) return standing.outcome
      this.#kept().unsettled.set(copy.transaction, copy)
      return copy.outcome
    })
  }

  find(transaction: string): Promise<Decision | undefined> {
    return this.#steps.run('find', () => {
      const found = this.#find(transaction)
      return found === undefined ? undefined : copyDecision(found)
    })
  }

  unsettled(): Promise<readonly Decision[]> {
    return this.#steps.run('unsettled', () => {
      this.#dropOld()
      return [...this.#kept().unsettled.values()].map(copyDecision)
    })
  }

  settle(transaction: string, keepMs: number = DAY_MS): Promise<void> {
    return this.#steps.run('settle', () => {
      const { unsettled, settled } = this.#kept()
      const decision = unsettled.get(transaction)
      if (decision === undefined) return
      unsettled.delete(transaction)
      settled.set(transaction, { decision, keptUntil: this.#now() + keepMs })
    })
  }

  #find(transaction: string): Decision | undefined {
    const { unsettled, settled } = this.#kept()
    return unsettled.get(transaction) ?? settled.get(transaction)?.decision
  }

  #dropOld(): void {
    const { settled } = this.#kept()
    const now = this.#now()
    for (const [transaction, { keptUntil }] of settled) {
      if (keptUntil < now) settled.delete(transaction)
    }
  }
}

function copyDecision({ transaction, outcome, shards }: Decision): Decision {
  const copies = shards.map(({ shard, redo }) =>
    redo === undefined ? { shard } : { shard, redo: new Uint8Array(redo) },
  )
  return { transaction, outcome, shards: copies }
}
