// Ends what crashes left open between the two phases of distributed-commit.ts. For every prepared
// transaction of every shard:
//
//   a decision is found           do as it says
//   none, older than inDoubtMs    decide 'rollback' first, then do what stands: the store lets one
//                                 decision through, so a coordinator that was only slow finds it
//   none, younger                 its coordinator may be at it: leave it
//
// and for every decision that is not settled: tell all its shards, then settle it. Every step may
// be repeated and be done by many processes at once.

import { type Part, resolveAll } from './distributed-commit.ts'
import type { TransactionContext } from './distributed-transaction.ts'
import type { Outcome, PreparedTransaction, ShardTx } from './engine.ts'
import { ShardError } from './shard-error.ts'

/** Options of `ShardRouter.recover`. */
export interface RecoveryOptions {
  /**
   * How old a prepared transaction without a decision must be to be rolled back, in milliseconds;
   * longer than a healthy coordinator takes to decide. Default 30,000; 0 rolls back at once.
   */
  readonly inDoubtMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What `ShardRouter.recover` found and did about transactions. */
export interface Recovery {
  /** Transactions that it told every shard to commit that had not heard of it. */
  readonly committed: readonly string[]
  /** Transactions that it rolled back. */
  readonly rolledBack: readonly string[]
  /** Transactions that are still open: too young, or a shard of theirs does not answer. */
  readonly waiting: readonly string[]
  /** Shards that could not be asked, with why. */
  readonly unreachable: readonly { readonly shard: string; readonly cause: unknown }[]
}

/**
 * Settles the transactions over shards whose coordinator has crashed.
 *
 * Safe at any time, in any number of processes at once, and beside coordinators at work: it never
 * ends a transaction otherwise than its coordinator did or could still do. Shards that do not
 * answer are left for the next time. Costs one question a shard and one for the unsettled.
 *
 * @throws {ShardError} `INVALID_OPTION`; what the store throws where it does not answer; the
 * signal's reason. What was settled until then stays settled.
 */
export async function recover<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  { inDoubtMs = 30_000, signal }: RecoveryOptions = {},
): Promise<Recovery> {
  if (!(inDoubtMs >= 0)) {
    throw new ShardError('INVALID_OPTION', `inDoubtMs must be at least 0, got ${inDoubtMs}`)
  }
  const found = new Findings()
  const { decisions } = context.store
  const prepared = await preparedOn(context, found)
  for (const [transaction, { parts, ageMs }] of prepared) {
    signal?.throwIfAborted()
    let decision = await decisions.find(transaction)
    if (decision === undefined && ageMs >= inDoubtMs) {
      await decisions.decide({ transaction, outcome: 'rollback', shards: parts })
      // The one that stands may be the coordinator's, and only that has what its shards need.
      decision = await decisions.find(transaction)
    }
    if (decision === undefined) found.open(transaction)
    else await settle(context, { ...decision, shards: union(decision.shards, parts) }, found)
  }
  for (const decision of await decisions.unsettled()) {
    signal?.throwIfAborted()
    if (!found.has(decision.transaction)) await settle(context, decision, found)
  }
  return found.report()
}

interface PreparedOnShards {
  readonly parts: Part[]
  ageMs: number
}

/** What is prepared anywhere, oldest view of its age, by transaction. */
async function preparedOn<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  found: Findings,
): Promise<Map<string, PreparedOnShards>> {
  const { engine } = context
  const prepared = new Map<string, PreparedOnShards>()
  // Also those that have left the map: they may have left it with a transaction open.
  const shards = [...new Set([...context.map().shards.map(({ id }) => id), ...engine.shards])]
  const answers = await Promise.allSettled(shards.map((shard) => engine.prepared(shard)))
  for (const [index, answer] of answers.entries()) {
    const shard = shards[index]!
    if (answer.status === 'fulfilled') enter(prepared, shard, answer.value)
    else found.unreachable.push({ shard, cause: answer.reason })
  }
  return prepared
}

function enter(
  prepared: Map<string, PreparedOnShards>,
  shard: string,
  transactions: readonly PreparedTransaction[],
): void {
  for (const { transaction, ageMs } of transactions) {
    const known = prepared.get(transaction) ?? { parts: [], ageMs }
    known.parts.push({ shard })
    known.ageMs = Math.max(known.ageMs, ageMs)
    prepared.set(transaction, known)
  }
}

/** The parts of a decision, and shards that it does not name but that wait for it. */
function union(named: readonly Part[], waiting: readonly Part[]): readonly Part[] {
  const names = new Set(named.map(({ shard }) => shard))
  return [...named, ...waiting.filter(({ shard }) => !names.has(shard))]
}

async function settle<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  decision: { transaction: string; outcome: Outcome; shards: readonly Part[] },
  found: Findings,
): Promise<void> {
  const { transaction, outcome, shards } = decision
  if (!(await resolveAll(context, transaction, outcome, shards))) {
    found.open(transaction)
    return
  }
  // Not forgotten yet: a coordinator that sleeps must still find that it was rolled back.
  await context.store.decisions.settle(transaction)
  found.ended(transaction, outcome)
}

class Findings {
  readonly unreachable: { shard: string; cause: unknown }[] = []
  readonly #outcomes = new Map<string, Outcome | 'open'>()

  has(transaction: string): boolean {
    return this.#outcomes.has(transaction)
  }

  open(transaction: string): void {
    this.#outcomes.set(transaction, 'open')
  }

  ended(transaction: string, outcome: Outcome): void {
    this.#outcomes.set(transaction, outcome)
  }

  report(): Recovery {
    return {
      committed: this.#named('commit'),
      rolledBack: this.#named('rollback'),
      waiting: this.#named('open'),
      unreachable: this.unreachable,
    }
  }

  #named(outcome: Outcome | 'open'): string[] {
    return [...this.#outcomes].filter(([, found]) => found === outcome).map(([name]) => name)
  }
}
