// Ends transactions that were opened on one or several shards, all of them the same way: two-phase
// commit with presumed abort (Gray & Lamport, "Consensus on Transaction Commit", section 2).
//
//   prepare on every shard, at once ─ decide in the store ─ resolve on every shard ─ settle
//                                     └ the commit point
//
// Before the commit point any refusal undoes everything. After it nothing is reported as a failure
// any more: what a shard has not heard of yet, `recover` tells it. One shard needs none of this.

import type { TransactionContext } from './distributed-transaction.ts'
import type { OpenTransaction, Outcome, ShardTx } from './engine.ts'
import { InDoubtTransaction, ShardError } from './shard-error.ts'
import { abortable } from './timers.ts'

/** The transactions that belong together, by shard, in the order in which they were opened. */
export type Participants<Tx extends ShardTx> = ReadonlyMap<string, OpenTransaction<Tx>>

/** Rolls all of them back; a shard that does not answer undoes its part when the session ends. */
export async function rollbackAll<Tx extends ShardTx>(
  participants: Participants<Tx>,
): Promise<void> {
  await Promise.allSettled([...participants.values()].map((open) => open.rollback()))
}

/**
 * Commits all of them or none.
 *
 * @throws the refusal of a shard, everything being undone, or the signal's reason if it aborted
 * before the decision; {@link ShardError} `ROLLED_BACK` where a shard could not prepare or recovery
 * decided first; {@link InDoubtTransaction} where the store did not say what it decided.
 */
export async function commitAll<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  participants: Participants<Tx>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (participants.size === 1) {
    for (const open of participants.values()) await open.commit()
    return
  }
  const transaction = context.newId()
  const redos = await prepareAll(context, transaction, participants, signal)
  const shards = [...redos].map(([shard, redo]) => ({ shard, redo }))
  const outcome = await decide(context, transaction, shards)
  if (outcome === 'rollback') {
    await resolveAll(context, transaction, 'rollback', shards)
    throw new ShardError(
      'ROLLED_BACK',
      `transaction ${transaction} took so long that recovery rolled it back; run it again, or ` +
        'raise inDoubtMs',
      { transaction },
    )
  }
  if (context.buggify('transaction.leave-to-recovery')) return
  const isDone = await resolveAll(context, transaction, 'commit', shards)
  // An unsettled decision is what recovery goes by, so failing here loses nothing.
  if (isDone) await context.store.decisions.settle(transaction).catch(() => {})
}

/** A shard that took part, with what it needs to do its part again. */
export interface Part {
  readonly shard: string
  readonly redo?: Uint8Array | undefined
}

/** Tells every shard how it ended; false if one could not be told. */
export async function resolveAll<Tx extends ShardTx>(
  { engine }: TransactionContext<Tx>,
  transaction: string,
  outcome: Outcome,
  parts: readonly Part[],
): Promise<boolean> {
  const told = await Promise.allSettled(
    parts.map(({ shard, redo }) => engine.resolve(shard, transaction, outcome, redo)),
  )
  return told.every(({ status }) => status === 'fulfilled')
}

async function prepareAll<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  transaction: string,
  participants: Participants<Tx>,
  signal: AbortSignal | undefined,
): Promise<Map<string, Uint8Array | undefined>> {
  const redos = new Map<string, Uint8Array | undefined>()
  const all = [...participants].map(async ([shard, open]) => {
    redos.set(shard, await open.prepare(transaction))
  })
  try {
    // All of them first, so that nothing is rolled back while its prepare is still under way.
    const results = await abortable(Promise.allSettled(all), signal)
    const refused = results.find(({ status }) => status === 'rejected')
    if (refused?.status === 'rejected') throw refused.reason
    signal?.throwIfAborted()
    return redos
  } catch (error) {
    await rollbackAll(participants)
    const parts = [...participants.keys()].map((shard) => ({ shard }))
    // Safe without a decision: only this coordinator could have decided to commit.
    await resolveAll(context, transaction, 'rollback', parts)
    if (signal?.aborted || isRefusedByFence(error) || isConflict(error)) throw error
    throw rolledBack(transaction, error)
  }
}

async function decide<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  transaction: string,
  shards: readonly Part[],
): Promise<Outcome> {
  try {
    if (context.buggify('transaction.decide-unsent')) throw new Error('the store was never asked')
    const { decisions } = context.store
    const outcome = await decisions.decide({ transaction, outcome: 'commit', shards })
    if (context.buggify('transaction.decide-unheard')) throw new Error('the answer was lost')
    return outcome
  } catch (error) {
    throw new InDoubtTransaction(transaction, error)
  }
}

function rolledBack(transaction: string, cause: unknown): ShardError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ShardError(
    'ROLLED_BACK',
    `transaction ${transaction} could not be prepared on every shard and was undone on all: ${why}`,
    { transaction, cause },
  )
}

/** Whether an engine sacrificed it so that another transaction could go on: it may be run again. */
export function isConflict(error: unknown): boolean {
  return (
    error instanceof ShardError && error.code === 'ROLLED_BACK' && error.transaction === undefined
  )
}

/** Whether a fence refused it: the map is to be loaded again, then it may go through. */
export function isRefusedByFence(error: unknown): boolean {
  if (!(error instanceof ShardError)) return false
  return ['SHARD_MOVED', 'STALE_EPOCH', 'SHARD_FROZEN'].includes(error.code)
}
