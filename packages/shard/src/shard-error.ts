// The errors of this package. `code` is stable: programs switch on it, people read the message,
// which says what was given, what is allowed and what to do next. Built only when thrown.

/** What a {@link ShardError} can be about. */
export type ShardErrorCode =
  | 'STALE_EPOCH'
  | 'SHARD_MOVED'
  | 'SHARD_FROZEN'
  | 'CROSS_SHARD'
  | 'SCATTER_PARTIAL'
  | 'UNKNOWN_SHARD'
  | 'UNKNOWN_TABLE'
  | 'UNKNOWN_KEY'
  | 'IN_DOUBT'
  | 'ROLLED_BACK'
  | 'MAP_CONFLICT'
  | 'NO_MAP'
  | 'INVALID_MAP'
  | 'INVALID_KEY'
  | 'INVALID_OPTION'
  | 'INVALID_TABLE'
  | 'NO_SLOT'
  | 'UNREACHABLE'
  | 'UNSUPPORTED'
  | 'PLAN_CONFLICT'
  | 'VERIFY_MISMATCH'
  | 'FREEZE_TIMEOUT'
  | 'BARRIER_TIMEOUT'
  | 'FENCED'
  | 'INVALID_JOB'
  | 'CLOSED'

/** What a {@link ShardError} carries for programs, where it applies. */
export interface ShardErrorDetails {
  /** The shard it happened on. */
  readonly shard?: string | undefined
  /** The slot that was asked for. */
  readonly slot?: number | undefined
  /** The epoch that the shard's fence, or the map in the store, is at. */
  readonly epoch?: number | undefined
  /** The shards whose part of the answer is missing. */
  readonly missing?: readonly string[] | undefined
  /** The distributed transaction whose outcome is open. */
  readonly transaction?: string | undefined
  /** The slots whose rows differ. */
  readonly slots?: readonly number[] | undefined
  /** The sessions or transactions that were waited for. */
  readonly blockers?: readonly string[] | undefined
  readonly cause?: unknown
}

/**
 * What went wrong between a key and its row.
 *
 * | code | when, and what to do |
 * |---|---|
 * | STALE_EPOCH | the shard's fence is at a later epoch than the caller's map: load the map again |
 * | SHARD_MOVED | the shard does not own the slot: load the map again, try the new owner |
 * | SHARD_FROZEN | the slot takes no writes while it moves: try again in a moment |
 * | CROSS_SHARD | rows of several slots where one was allowed: use `transaction` or `scatter` |
 * | SCATTER_PARTIAL | some shards did not answer (`missing`): try again, or `partial: 'allow'` |
 * | UNKNOWN_SHARD | no shard of that id in the map, or none the engine knows how to reach |
 * | UNKNOWN_TABLE | the map has no rule for the table |
 * | UNKNOWN_KEY | a directory has no entry for the key, a range or zone does not hold it |
 * | IN_DOUBT | a crash left the outcome open: `recover()` settles it, reading tells which way |
 * | ROLLED_BACK | a transaction over shards was refused by one and undone on all |
 * | MAP_CONFLICT | somebody else changed the map first: load it, make the change again |
 * | NO_MAP | the store holds no map yet: give one to `open`, or run `ashlar-shard init` |
 * | INVALID_MAP | a map or a change to it breaks a rule; nothing was changed |
 * | INVALID_KEY | a shard key is of a type that has no slot |
 * | INVALID_OPTION | another argument is out of range |
 * | INVALID_TABLE | a table lacks a primary key, its shard key or its slot column |
 * | NO_SLOT | a write reached a sharded table without a slot declared: go through the router |
 * | UNREACHABLE | a shard does not answer; nothing is known to have been changed |
 * | UNSUPPORTED | the engine cannot do that; the message says which can |
 * | PLAN_CONFLICT | something stands against a plan, or came in its way: the message says what |
 * | VERIFY_MISMATCH | rows at source and target differ (`slots`): nothing was cut over |
 * | FREEZE_TIMEOUT | writers held a slot for too long; nothing was changed, it is tried again |
 * | BARRIER_TIMEOUT | old transactions (`blockers`) still run: end them, then resume |
 * | FENCED | another worker has taken over the job: stop this one |
 * | INVALID_JOB | there is no such job, it has ended, or cannot do that in its state |
 * | CLOSED | the router, engine or store was closed |
 *
 * @example
 * try {
 *   await router.scatter({ table: 'cities' })
 * } catch (error) {
 *   error instanceof ShardError && error.code // → 'UNKNOWN_TABLE'
 * }
 */
export class ShardError extends Error {
  override readonly name: string = 'ShardError'
  /** Stable name of what went wrong. */
  readonly code: ShardErrorCode
  /** The shard it happened on. */
  readonly shard: string | undefined
  /** The slot that was asked for. */
  readonly slot: number | undefined
  /** The epoch that the shard's fence, or the map in the store, is at. */
  readonly epoch: number | undefined
  /** The shards whose part of the answer is missing; empty for other codes. */
  readonly missing: readonly string[]
  /** The distributed transaction whose outcome is open or was rolled back. */
  readonly transaction: string | undefined
  /** The slots whose rows differ; empty for other codes. */
  readonly slots: readonly number[]
  /** The sessions or transactions that were waited for; empty for other codes. */
  readonly blockers: readonly string[]

  constructor(code: ShardErrorCode, message: string, details: ShardErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.shard = details.shard
    this.slot = details.slot
    this.epoch = details.epoch
    this.missing = details.missing ?? []
    this.transaction = details.transaction
    this.slots = details.slots ?? []
    this.blockers = details.blockers ?? []
  }
}

/**
 * The shard does not own the slot (any more); `epoch` is that of its fence.
 *
 * @example
 * new ShardMoved('oak', 7, 3).code // → 'SHARD_MOVED'
 */
export class ShardMoved extends ShardError {
  override readonly name: string = 'ShardMoved'

  constructor(shard: string, slot: number, epoch: number) {
    super(
      'SHARD_MOVED',
      `shard ${shard} does not own slot ${slot} (its fence is at epoch ${epoch}); ` +
        'load the map again and ask the owner it names',
      { shard, slot, epoch },
    )
  }
}

/**
 * The shard's fence of the slot is at a later epoch than the caller's map.
 *
 * @example
 * new StaleEpoch('oak', 7, 3).code // → 'STALE_EPOCH'
 */
export class StaleEpoch extends ShardError {
  override readonly name: string = 'StaleEpoch'

  constructor(shard: string, slot: number, epoch: number) {
    super(
      'STALE_EPOCH',
      `slot ${slot} of shard ${shard} is at epoch ${epoch}, later than the caller's map; ` +
        'load the map again',
      { shard, slot, epoch },
    )
  }
}

/**
 * The slot takes no writes on this shard for the moment; `epoch` is that of its fence.
 *
 * @example
 * new ShardFrozen('oak', 7, 3).code // → 'SHARD_FROZEN'
 */
export class ShardFrozen extends ShardError {
  override readonly name: string = 'ShardFrozen'

  constructor(shard: string, slot: number, epoch: number) {
    super(
      'SHARD_FROZEN',
      `slot ${slot} of shard ${shard} takes no writes while it moves; try again in a moment`,
      { shard, slot, epoch },
    )
  }
}

/**
 * Rows of several slots where one was allowed.
 *
 * @example
 * try {
 *   await router.transaction(['ada'], (t) => t.on('ken').mark('seen'))
 * } catch (error) {
 *   error instanceof CrossShard // → true
 * }
 */
export class CrossShard extends ShardError {
  override readonly name: string = 'CrossShard'

  /**
   * @param message Which rows, and what to do instead.
   * @param details Where it happened, and what caused it.
   */
  constructor(message: string, details: ShardErrorDetails = {}) {
    super('CROSS_SHARD', message, details)
  }
}

/**
 * Some shards did not answer a scatter; `missing` names them.
 *
 * @example
 * try {
 *   await router.scatter({ table: 'users' })
 * } catch (error) {
 *   if (!(error instanceof ScatterPartial)) throw error
 *   console.log('no answer from', error.missing)
 * }
 */
export class ScatterPartial extends ShardError {
  override readonly name: string = 'ScatterPartial'

  /** @param cause What one of the shards failed by. */
  constructor(missing: readonly string[], cause?: unknown) {
    super(
      'SCATTER_PARTIAL',
      `no answer from ${missing.join(', ')}; try again, or take the rest with partial: 'allow'`,
      { missing, cause },
    )
  }
}

/**
 * No shard of that id.
 *
 * @example
 * try {
 *   map.slotsOf('fir')
 * } catch (error) {
 *   error instanceof UnknownShard && error.shard // → 'fir'
 * }
 */
export class UnknownShard extends ShardError {
  override readonly name: string = 'UnknownShard'

  /** @param known The ids that there are. */
  constructor(shard: string, known: readonly string[]) {
    super(
      'UNKNOWN_SHARD',
      `there is no shard ${JSON.stringify(shard)}; known: ${known.join(', ')}`,
      {
        shard,
      },
    )
  }
}

/**
 * The outcome of a transaction over shards is not known here.
 *
 * @example
 * try {
 *   await router.transaction(['ada', 'ken'], transfer)
 * } catch (error) {
 *   if (!(error instanceof InDoubtTransaction)) throw error
 *   await router.recover()
 * }
 */
export class InDoubtTransaction extends ShardError {
  override readonly name: string = 'InDoubtTransaction'

  /** @param cause Why the decision could not be read. */
  constructor(transaction: string, cause?: unknown) {
    super(
      'IN_DOUBT',
      `the outcome of transaction ${transaction} is not known here; it will be wholly there or ` +
        'wholly not once recover() has run, and reading its rows tells which',
      { transaction, cause },
    )
  }
}

/**
 * Something stands against a plan, or came in its way.
 *
 * @example
 * try {
 *   await job.run()
 * } catch (error) {
 *   if (error instanceof PlanConflict) console.log(error.message)
 * }
 */
export class PlanConflict extends ShardError {
  override readonly name: string = 'PlanConflict'

  /**
   * @param message What stands against it.
   * @param details Where it happened, and what caused it.
   */
  constructor(message: string, details: ShardErrorDetails = {}) {
    super('PLAN_CONFLICT', message, details)
  }
}

/**
 * Rows at source and target differ; `slots` names where. Nothing was cut over.
 *
 * @example
 * try {
 *   await job.run()
 * } catch (error) {
 *   if (error instanceof VerifyMismatch) console.log('they differ in', error.slots)
 * }
 */
export class VerifyMismatch extends ShardError {
  override readonly name: string = 'VerifyMismatch'

  /**
   * @param message What differs.
   * @param details The slots whose rows differ, and the shard.
   */
  constructor(message: string, details: ShardErrorDetails & { readonly slots: readonly number[] }) {
    super('VERIFY_MISMATCH', message, details)
  }
}

/**
 * Writers held slots for longer than they may be waited for. Nothing was changed.
 *
 * @example
 * new FreezeTimeout('oak', 500).code // → 'FREEZE_TIMEOUT'
 */
export class FreezeTimeout extends ShardError {
  override readonly name: string = 'FreezeTimeout'

  /**
   * @param shard Whose writers they are.
   * @param maxMs How long they were waited for, in milliseconds.
   * @param details Where it happened, and what caused it.
   */
  constructor(shard: string, maxMs: number, details: ShardErrorDetails = {}) {
    super(
      'FREEZE_TIMEOUT',
      `writers held slots of shard ${shard} for over ${maxMs} ms; they were let go on, and the ` +
        'freeze is tried again: look for long transactions, or raise maxFreezeMs',
      { shard, ...details },
    )
  }
}

/**
 * Transactions from before the capture still run; `blockers` names them.
 *
 * @example
 * try {
 *   await job.run()
 * } catch (error) {
 *   error instanceof BarrierTimeout && error.blockers // → ['session 4711']
 * }
 */
export class BarrierTimeout extends ShardError {
  override readonly name: string = 'BarrierTimeout'

  /**
   * @param shard Where they run.
   * @param maxMs How long they were waited for, in milliseconds.
   * @param blockers Their names.
   * @param cause What the wait ended by.
   */
  constructor(shard: string, maxMs: number, blockers: readonly string[], cause?: unknown) {
    super(
      'BARRIER_TIMEOUT',
      `changes on shard ${shard} cannot be captured while older transactions run; after ${maxMs} ` +
        `ms there were ${blockers.join(', ') || 'some'}: end them, then resume the job`,
      { shard, blockers, cause },
    )
  }
}

/**
 * Another worker has taken the job over.
 *
 * @example
 * try {
 *   await job.run()
 * } catch (error) {
 *   if (error instanceof Fenced) return // the other one goes on with it
 * }
 */
export class Fenced extends ShardError {
  override readonly name: string = 'Fenced'

  /**
   * @param job Its id.
   * @param token That of the worker that is to stop.
   * @param details Where it happened, and what caused it.
   */
  constructor(job: string, token: number, details: ShardErrorDetails = {}) {
    super(
      'FENCED',
      `another worker has taken over job ${job}: token ${token} counts no more; stop this one`,
      details,
    )
  }
}
