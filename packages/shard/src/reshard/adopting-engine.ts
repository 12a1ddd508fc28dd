// What an engine adds so that a live database that was never sharded can become the first shard of
// a map. It prepares the database while its application goes on reading and writing, knowing
// nothing of slots:
//
//   1  refuses with INVALID_TABLE, before anything is changed, what `install` would refuse
//   2  adds the column `ashlar_slot`, empty, and triggers that empty it again in every row that the
//      application inserts or whose shard key it changes: those count as rows without a slot
//   3  fills it in, `batchRows` rows a transaction and short pauses between, until few are left;
//      `slotOf` is asked in the process, the database need not know how keys are hashed
//   4  in one transaction that holds the writers up for at most `maxFreezeMs`: fills in the rest,
//      takes the triggers of 2 away, and puts in force what `install` does. From then on a write
//      that does not come through a router is refused with NO_SLOT
//
// Each step may be done again by another process after a crash: rows that carry a slot keep it, and
// a database that has been through step 4 is left as it is. Marks and fences are made empty: the
// fences are written by the core, by `Engine.setFences`, when this has resolved.

import type { Engine, InstallSpec } from '../engine.ts'

/** How far an adoption has come. */
export interface AdoptProgress {
  readonly table: string
  /** Rows of this table that carry a slot by now, as far as is known. */
  readonly rows: number
  /** Rows of this table in all, exact or the database's estimate. */
  readonly total: number
}

/** What {@link AdoptingEngine.adopt} is given. */
export interface AdoptOptions {
  /**
   * The slot of a row by the values of its key columns, in the order of `TableSpec.key` (empty for
   * a table placed as a whole), as the engine reads them.
   *
   * @throws {ShardError} `INVALID_KEY` for values that no key can have: the adoption then rejects
   * with it, adding the row's primary key, with steps 1 to 3 undone or free to be done again.
   */
  readonly slotOf: (table: string, key: readonly unknown[]) => number
  /** Rows filled in by one transaction. */
  readonly batchRows: number
  /** How long the last step may wait for writers, and then hold them up, in milliseconds. */
  readonly maxFreezeMs: number
  /** Called after each batch. */
  readonly onProgress?: ((progress: AdoptProgress) => void) | undefined
  /** Stops between two batches. */
  readonly signal?: AbortSignal | undefined
}

/** An engine that can adopt. */
export interface AdoptingEngine {
  /**
   * Makes the tables of the spec, in a live database, those of a shard, see above; where they are,
   * at once.
   *
   * @throws {ShardError} `INVALID_TABLE`; `INVALID_KEY`; `FREEZE_TIMEOUT` where the last step took
   * longer than `maxFreezeMs`: that step is undone, and it may be tried again.
   */
  adopt(shard: string, spec: InstallSpec, options: AdoptOptions): Promise<void>
}

/** Whether an engine can adopt. */
export function isAdopting<E extends Engine>(engine: E): engine is E & AdoptingEngine {
  return 'adopt' in engine && typeof engine.adopt === 'function'
}
