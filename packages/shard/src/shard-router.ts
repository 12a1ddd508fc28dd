// The router: from a key to its shard, and from a question to all of them. It goes by a map in
// memory; what makes that safe is not the map but the fences in the shards, which refuse a router
// that is behind. This class only joins the parts:
//
//   router-start    the map in force            scatter*         all shards as if they were one
//   router-map      refresh and retry           distributed-transaction, recovery, saga, pin, split
//   router-work     what runs, and closing      router-heat, capacity, verify, router-status

import { type LoadOptions, loadRows } from './bulk-load.ts'
import { Capacity, type CapacityReport } from './capacity.ts'
import {
  runReplicated,
  runTransaction,
  settledRoute,
  type TransactionKey,
  type TransactionOptions,
  type TransactionScope,
} from './distributed-transaction.ts'
import type { Engine, OpenTransaction, QueryResult, Row, ShardTx, SqlTx } from './engine.ts'
import { type PinOptions, pinKey, unpinKey } from './pin-key.ts'
import type { RecoveryOptions } from './recovery.ts'
import { type RouterContext, routerContext } from './router-context.ts'
import { type HotReport, RouterHeat } from './router-heat.ts'
import { RouterMap } from './router-map.ts'
import { type RouterOptions, type RouterSettings, routerSettings } from './router-options.ts'
import { startMap } from './router-start.ts'
import { type RouterStatus, statusOf } from './router-status.ts'
import { type RouterRecovery, RouterSweep } from './router-sweep.ts'
import { RouterWork } from './router-work.ts'
import { Saga, type SagaOptions, type SagaStep } from './saga.ts'
import { scatterBatches, scatterRows } from './scatter.ts'
import {
  planScatter,
  type ScatterOptions,
  type ScatterPlan,
  type ScatterQuery,
  type ScatterResult,
} from './scatter-query.ts'
import { RowStream } from './scatter-stream.ts'
import { ShardError } from './shard-error.ts'
import type { ShardKey } from './shard-key.ts'
import type { Route, ShardMap } from './shard-map.ts'
import { splitKey } from './split-key.ts'
import { abortable } from './timers.ts'
import { type VerifyOptions, type VerifyReport, verifyFleet } from './verify.ts'

type SplitOptions = NonNullable<Parameters<typeof splitKey>[3]>

/** Options of a transaction on the shard of one key. */
export interface ShardOptions {
  /** The table whose rule places the key; default: by hash. */
  readonly table?: string | undefined
  /** Nothing is written: one snapshot of the shard. Default false. */
  readonly readOnly?: boolean | undefined
  /** Rolls back, and stops waiting. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Routes reads and writes to the shards of a fleet.
 *
 * Every method rejects with a {@link ShardError}: those that it names, `CLOSED` after `close`, and
 * what the engine gives. Safe for any number of calls at once, and of routers in other processes.
 *
 * @example
 * const router = await ShardRouter.open({ engine, store, map })
 * await router.withShard(42, (tx) => tx.put('users', { id: 42, name: 'Ada' }), { table: 'users' })
 */
export class ShardRouter<Tx extends ShardTx = ShardTx> {
  readonly #settings: RouterSettings<Tx>
  readonly #map: RouterMap
  readonly #context: RouterContext<Tx>
  readonly #heat: RouterHeat
  readonly #capacity: Capacity
  readonly #sweep: RouterSweep<Tx>
  readonly #work = new RouterWork()
  #stopWatching: (() => void) | undefined

  private constructor(map: ShardMap, settings: RouterSettings<Tx>) {
    this.#settings = settings
    this.#map = new RouterMap(map, settings)
    this.#heat = new RouterHeat(settings.hotCapacity)
    this.#capacity = new Capacity(settings.limits, settings.now)
    this.#context = routerContext(settings, this.#map)
    this.#sweep = new RouterSweep(this.#context, settings)
  }

  /**
   * Checks every shard, loads the map in force (or puts the first one in force: fences, tables and
   * `ddl` are installed then and only then), and finishes what crashed transactions left.
   *
   * @throws {ShardError} before anything is written: `NO_MAP` where neither the store nor the
   * options have one; `MAP_CONFLICT` where `map` has other rules than the map in force;
   * `UNREACHABLE`, `UNKNOWN_SHARD`, `UNSUPPORTED`, `INVALID_TABLE` for shards that are not fit,
   * all of them in one error; `INVALID_OPTION`.
   */
  static async open<Tx extends ShardTx>(options: RouterOptions<Tx>): Promise<ShardRouter<Tx>> {
    const settings = routerSettings(options)
    settings.signal?.throwIfAborted()
    const router = new ShardRouter(await startMap(settings), settings)
    await router.#start()
    return router
  }

  /** The map that this router goes by: the one in force, or a little behind it. */
  get map(): ShardMap {
    return this.#map.current
  }

  /** Where a key of a table lies by that map; see `ShardMap.route`. Not counted by {@link hot}. */
  route(key: ShardKey, table?: string): Route {
    return this.map.route(key, table)
  }

  /**
   * Runs a function, `fn`, in a transaction on the shard of a key; commits when it resolves, rolls
   * back when it rejects. Everything it reads and writes must lie under that key's slot.
   *
   * If the map has changed meanwhile the transaction is refused, nothing of it remains, and the
   * function runs again on the right shard: it may run more than once, and commits at most once.
   *
   * @throws {ShardError} `SHARD_MOVED`, `STALE_EPOCH` if fences refuse the newest map as well;
   * `SHARD_FROZEN` after `frozenWaitMs`; those of routing; and what the function throws.
   */
  withShard<R>(
    key: ShardKey,
    fn: (tx: Tx) => Promise<R> | R,
    options: ShardOptions = {},
  ): Promise<R> {
    const { signal } = options
    return this.#onShard(key, options, async (open, slot) => {
      const result = await abortable(Promise.resolve(fn(open.tx(slot))), signal)
      signal?.throwIfAborted()
      await open.commit()
      return result
    })
  }

  /**
   * Runs one SQL statement in a transaction of its own, in one round trip where the engine can.
   *
   * @param key Whose slot all its rows lie under.
   * @param text The statement.
   * @param params Values of `$1`, `$2` …
   * @throws {ShardError} as {@link withShard}; `UNSUPPORTED` on an engine without SQL.
   */
  query(
    key: ShardKey,
    text: string,
    params: readonly unknown[] = [],
    options: ShardOptions = {},
  ): Promise<QueryResult> {
    return this.#onShard(key, options, async (open, slot) => {
      const tx = sqlOf(open.tx(slot), this.#settings.engine)
      // Both are sent before either is awaited.
      const result = tx.query(text, params)
      const committed = open.commit()
      committed.catch(Boolean)
      const answer = await result
      await committed
      return answer
    })
  }

  /**
   * Asks all shards a query as if they were one, and gives all rows at once.
   *
   * Each shard is read in one snapshot and each row counts once, whatever moves; snapshots of
   * different shards are of slightly different moments. Where only one shard has the answer (a
   * table placed whole, a reference table), only that is asked.
   *
   * @throws {ShardError} `SCATTER_PARTIAL` where shards do not answer; `UNKNOWN_TABLE`;
   * `INVALID_OPTION`; `SHARD_MOVED`, `STALE_EPOCH` if the fences do not add up to the map in force.
   */
  scatter(query: ScatterQuery, options: ScatterOptions = {}): Promise<ScatterResult> {
    return this.#work.run(() => scatterRows(this.#context, planScatter(query, options)))
  }

  /**
   * The rows that answer a query, as {@link scatter}, but as they come, sorted where that is asked
   * for, in constant memory (groups are held). Ends on every shard when the loop over it ends. With
   * `partial: 'allow'` it goes on without shards that do not answer at the start; one that falls
   * silent later is an error.
   *
   * @throws {ShardError} `INVALID_OPTION`; its loop rejects with those of {@link scatter}.
   */
  stream(query: ScatterQuery, options: ScatterOptions = {}): RowStream {
    const plan = planScatter(query, options)
    const missing = new Set<string>()
    return new RowStream(this.#streamed(plan, missing), missing)
  }

  /** As {@link scatter} of a query, but only the rows of one key, under all its parts if split. */
  gather(key: ShardKey, query: ScatterQuery, options: ScatterOptions = {}): Promise<ScatterResult> {
    return this.#work.run(() => {
      this.#heat.add(this.map, key, query.table)
      return scatterRows(this.#context, planScatter(query, options, key))
    })
  }

  /**
   * Writes many rows into a sharded table, each on its shard, in batches: a shard's part of a
   * batch is one transaction. A row with the primary key of an old one replaces it.
   *
   * @returns how many rows were written.
   */
  load(
    table: string,
    rows: Iterable<Row> | AsyncIterable<Row>,
    options: LoadOptions = {},
  ): Promise<number> {
    return this.#work.run(() => loadRows(this.#context, table, rows, options))
  }

  /**
   * Runs `fn` in one transaction over the rows of several keys, atomic over shards.
   *
   * @throws {ShardError} `CROSS_SHARD`, `ROLLED_BACK`, `IN_DOUBT`; and what `fn` throws.
   */
  transaction<R>(
    keys: readonly TransactionKey[],
    fn: (t: TransactionScope<Tx>) => Promise<R> | R,
    options: TransactionOptions = {},
  ): Promise<R> {
    return this.#work.run(() => {
      this.#heat.addAll(this.map, keys)
      return runTransaction(this.#context, keys, fn, options)
    })
  }

  /** Runs `fn` on every shard's copy of reference tables, atomically. */
  replicate<R>(fn: (tx: Tx) => Promise<R> | R, options: TransactionOptions = {}): Promise<R> {
    return this.#work.run(() => runReplicated(this.#context, fn, options))
  }

  /**
   * Defines a saga. Define it in every process under the same name: {@link recover} undoes one
   * that crashed only where its steps are known.
   *
   * @throws {ShardError} `INVALID_OPTION`, also for a name that is defined here already.
   */
  saga<I>(
    name: string,
    steps: readonly SagaStep<I, Tx>[],
    options: SagaOptions = {},
  ): Pick<Saga<I, Tx>, 'name' | 'run'> {
    if (this.#sweep.sagas.has(name)) {
      throw new ShardError('INVALID_OPTION', `a saga called ${name} is defined here already`)
    }
    const saga = new Saga<I, Tx>(this.#context, name, steps, options)
    this.#sweep.sagas.set(name, saga)
    return { name, run: (input, run) => this.#work.run(() => saga.run(input, run)) }
  }

  /** Moves the rows of one key to a slot of its own on a shard; reads and writes of it wait. */
  pin(key: ShardKey, shard: string, options: PinOptions = {}): Promise<void> {
    return this.#changeMap(() => pinKey(this.#context, key, shard, options))
  }

  /** Moves the rows of a pinned key back, as {@link pin}. */
  unpin(key: ShardKey, options: PinOptions = {}): Promise<void> {
    return this.#changeMap(() => unpinKey(this.#context, key, options))
  }

  /** Lays a key under so many parts, each on a shard of its own. */
  split(key: ShardKey, parts: number, options: SplitOptions = {}): Promise<void> {
    return this.#changeMap(() => splitKey(this.#context, key, parts, options))
  }

  /** The keys and slots that this router was asked for most; `k` of each, default 10. */
  hot({ k = 10 }: { readonly k?: number | undefined } = {}): HotReport {
    return this.#heat.report(this.map, k)
  }

  /**
   * How full each shard is, and how fast it fills; measured now. Growth is the slope of the line
   * through all that this router measured, so call it now and then.
   */
  capacity(): Promise<CapacityReport> {
    return this.#work.run(() => this.#capacity.measure(this.#settings.engine, this.map))
  }

  /** Reads every row and tells what does not lie where the map says. Changes nothing. */
  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#work.run(async () => {
      const map = await this.#map.refresh()
      return verifyFleet(this.#settings.engine, map, options)
    })
  }

  /** Finishes what crashed transactions and sagas left, now. */
  recover(options: RecoveryOptions = {}): Promise<RouterRecovery> {
    return this.#work.run(() => this.#sweep.recover(options))
  }

  /** Loads the map in force and goes by it. */
  refresh(): Promise<ShardMap> {
    return this.#work.run(() => this.#map.refresh())
  }

  /** How the fleet is doing: asks every shard and the store. */
  status(): Promise<RouterStatus> {
    const { engine, store } = this.#settings
    const { refreshes, frozenWaits } = this.#map
    const { running } = this.#work
    const counts = { refreshes, frozenWaits, running, lastSweep: this.#sweep.last }
    return this.#work.run(() => statusOf(engine, store, this.map, counts))
  }

  /**
   * Ends the background work and the streams, refuses new calls, and waits for those under way.
   * The engine and the store stay open: they are the caller's. Safe to call twice.
   *
   * @throws the signal's reason, if it aborts before all calls have ended; they go on.
   */
  async close({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#stopWatching?.()
    this.#stopWatching = undefined
    await Promise.all([this.#work.close(signal), abortable(this.#sweep.stop(), signal)])
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<void> {
    const { store, signal } = this.#settings
    this.#stopWatching = store.watch((epoch) => {
      // Who needs the map before the store answers again finds out by itself.
      if (epoch > this.map.epoch) this.#map.refresh().catch(Boolean)
    })
    try {
      await abortable(this.#sweep.recover({ signal }), signal)
    } catch (error) {
      await this.close()
      throw error
    }
    this.#sweep.start()
  }

  #onShard<R>(
    key: ShardKey,
    { table, readOnly, signal }: ShardOptions,
    act: (open: OpenTransaction<Tx>, slot: number) => Promise<R>,
  ): Promise<R> {
    return this.#work.run(() => {
      this.#heat.add(this.map, key, table)
      const attempt = async (): Promise<R> => {
        const { shard, slot, epoch } = settledRoute(this.map, key, table)
        const claim = { slots: [slot], epoch }
        const options = { readOnly, prepares: false, signal }
        const open = await this.#settings.engine.open(shard, claim, options)
        try {
          return await act(open, slot)
        } catch (error) {
          // What it was refused with matters more than how that ended.
          await open.rollback().catch(Boolean)
          throw error
        }
      }
      return this.#map.retry(attempt, signal)
    })
  }

  async *#streamed(plan: ScatterPlan, missing: Set<string>) {
    const { signal, end } = this.#work.openStream(plan.signal)
    try {
      yield* scatterBatches(this.#context, { ...plan, signal }, missing)
    } finally {
      end()
    }
  }

  async #changeMap(change: () => Promise<void>): Promise<void> {
    await this.#work.run(async () => {
      await change()
      await this.#map.refresh()
    })
  }
}

function sqlOf<Tx extends ShardTx>(tx: Tx, { kind }: Engine<Tx>): Tx & SqlTx {
  if (isSql(tx)) return tx
  throw new ShardError(
    'UNSUPPORTED',
    `the ${kind} engine has no SQL; use withShard and the methods of its transaction`,
  )
}

function isSql<Tx extends ShardTx>(tx: Tx): tx is Tx & SqlTx {
  return 'query' in tx
}
