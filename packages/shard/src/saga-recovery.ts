// Finishes the sagas whose runner has crashed: those whose lease is over.

import type { ShardTx } from './engine.ts'
import type { MapStore } from './map-store.ts'
import type { Saga } from './saga.ts'

/** What `ShardRouter.recover` found and did about sagas, by id. */
export interface SagaRecovery {
  /** Every step had taken effect; only the record was left. */
  readonly done: readonly string[]
  /** What had been done is undone. */
  readonly undone: readonly string[]
  /** Still open, with why: a step could not be undone, or no saga of that name is defined here. */
  readonly waiting: readonly { readonly id: string; readonly cause: unknown }[]
}

/** The sagas of a process by name; each as a saga of whatever input. */
export interface SagasByName<Tx extends ShardTx> {
  get(name: string): Pick<Saga<never, Tx>, 'settle'> | undefined
}

/**
 * Undoes, in reverse order, the sagas that were abandoned. Safe in many processes at once: a saga
 * is taken over by one.
 *
 * @throws what the store throws where it does not answer, and the signal's reason.
 */
export async function recoverSagas<Tx extends ShardTx>(
  store: MapStore,
  sagas: SagasByName<Tx>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<SagaRecovery> {
  const done: string[] = []
  const undone: string[] = []
  const waiting: { id: string; cause: unknown }[] = []
  for (const record of await store.sagas.abandoned()) {
    signal?.throwIfAborted()
    const { id, name } = record
    const saga = sagas.get(name)
    if (saga === undefined) {
      waiting.push({ id, cause: new Error(`no saga ${JSON.stringify(name)} is defined here`) })
      continue
    }
    try {
      const end = await saga.settle(record, signal)
      if (end === 'done') done.push(id)
      else if (end === 'undone') undone.push(id)
    } catch (cause) {
      waiting.push({ id, cause })
    }
  }
  return { done, undone, waiting }
}
