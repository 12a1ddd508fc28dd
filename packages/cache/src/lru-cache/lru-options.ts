// Options of the drop-in and of its methods: lru-cache's names, meanings and defaults, and four
// more at the end of the constructor's.

import type { Perf, Timers } from './lru-timers.ts'

/** Why an entry left. */
export type DisposeReason = 'evict' | 'set' | 'delete' | 'expire' | 'fetch'
/** Hears of an entry that left. */
export type Disposer<K, V> = (value: V, key: K, reason: DisposeReason) => void
/** Why an entry came: its key is new, or had the same value, or another. */
export type InsertReason = 'add' | 'update' | 'replace'
/** Hears of an entry that came. */
export type Inserter<K, V> = (value: V, key: K, reason: InsertReason) => void
/** Says what an entry weighs: a whole number from 0. */
export type SizeCalculator<K, V> = (value: V, key: K) => number

/** Flags that may be given at construction and to each `fetch`. */
export interface FetchFlags {
  /** A failed fetch leaves the old value where it is. Default false: the key is deleted. */
  noDeleteOnFetchRejection?: boolean
  /** A failed fetch gives the old value, or undefined, and does not throw. Default false. */
  allowStaleOnFetchRejection?: boolean
  /** An aborted fetch gives the old value, or undefined, and does not throw. Default false. */
  allowStaleOnFetchAbort?: boolean
  /** An aborted fetch goes on, and what it brings is kept. Default false. */
  ignoreFetchAbort?: boolean
}

/** Options of `get`. */
export interface GetOptions {
  /** Whether a stale value is returned (and deleted). Default: the cache's. */
  allowStale?: boolean
  /** Whether the entry's time begins again. Default: the cache's. */
  updateAgeOnGet?: boolean
  /** Whether a stale entry stays. Default: the cache's. */
  noDeleteOnStaleGet?: boolean
}

/** Options of `peek`. */
export type PeekOptions = Pick<GetOptions, 'allowStale'>

/** Options of `has`. */
export interface HasOptions {
  /** Whether the entry's time begins again. Default: the cache's. */
  updateAgeOnHas?: boolean
}

/** Options of `set`. */
export interface SetOptions<K, V> {
  /** Milliseconds until the entry is stale; 0 is never. Default: the cache's. */
  ttl?: number
  /** When that time began, by the cache's clock. Default now. */
  start?: number
  /** The entry's size; 0 asks `sizeCalculation` if there is one. */
  size?: number
  /** Says what the entry weighs. Default: the cache's. */
  sizeCalculation?: SizeCalculator<K, V>
  /** Whether an old value is not told to `dispose`. Default: the cache's. */
  noDisposeOnSet?: boolean
  /** Whether an entry that is there keeps its time. Default: the cache's. */
  noUpdateTTL?: boolean
}

/** What a `fetchMethod` may read and change. */
export interface FetcherFetchOptions<K, V>
  extends GetOptions,
    FetchFlags,
    Omit<SetOptions<K, V>, 'start'> {}

/** Options of `fetch`. */
export interface FetchOptions<K, V, FC = unknown> extends FetcherFetchOptions<K, V> {
  /** Whether to fetch although the entry is not stale. Default false. */
  forceRefresh?: boolean
  /** Handed to `fetchMethod`. */
  context?: FC
  /** Aborts the fetch, if this call is the one that starts it. */
  signal?: AbortSignal
}

/** Options of `fetch` where there is a context. */
export interface FetchOptionsWithContext<K, V, FC> extends FetchOptions<K, V, FC> {
  context: FC
}

/** Options of `fetch` where there is no context. */
export interface FetchOptionsNoContext<K, V> extends FetchOptions<K, V, undefined> {
  context?: undefined
}

/** Handed to a `fetchMethod`. */
export interface FetcherOptions<K, V, FC = unknown> {
  signal: AbortSignal
  options: FetcherFetchOptions<K, V>
  context: FC
}

/** What a function without a result returns; undefined is such. */
export type Nothing = ReturnType<() => void> | undefined

/** Gets the value of a key; `staleValue` is the one it had, if any. */
export type Fetcher<K, V, FC = unknown> = (
  key: K,
  staleValue: V | undefined,
  options: FetcherOptions<K, V, FC>,
) => Promise<V | Nothing> | V | Nothing

/** Options of `memo`. */
export interface MemoOptions<K, V, FC = unknown>
  extends GetOptions,
    FetchFlags,
    Omit<SetOptions<K, V>, 'start' | 'size'> {
  /** Whether to compute although the entry is not stale. Default false. */
  forceRefresh?: boolean
  /** Handed to `memoMethod`. */
  context?: FC
}

/** Options of `memo` where there is a context. */
export interface MemoOptionsWithContext<K, V, FC> extends MemoOptions<K, V, FC> {
  context: FC
}

/** Options of `memo` where there is no context. */
export interface MemoOptionsNoContext<K, V> extends MemoOptions<K, V, undefined> {
  context?: undefined
}

/** What a `memoMethod` may read and change. */
export interface MemoizerMemoOptions<K, V> extends GetOptions, SetOptions<K, V> {}

/** Handed to a `memoMethod`. */
export interface MemoizerOptions<K, V, FC = unknown> {
  options: MemoizerMemoOptions<K, V>
  context: FC
}

/** Computes the value of a key; `staleValue` is the one it had, if any. */
export type Memoizer<K, V, FC = unknown> = (
  key: K,
  staleValue: V | undefined,
  options: MemoizerOptions<K, V, FC>,
) => V

/** Options of the constructor; at least one of `max`, `maxSize` and `ttl`. */
export interface OptionsBase<K, V, FC = unknown>
  extends GetOptions,
    HasOptions,
    FetchFlags,
    Pick<SetOptions<K, V>, 'ttl' | 'sizeCalculation' | 'noDisposeOnSet' | 'noUpdateTTL'> {
  /** Most entries, 0 to 33,554,368; 0 and by default that many. */
  max?: number
  /** Most that all entries may weigh together, a whole number; 0 and by default no bound. */
  maxSize?: number
  /** Most that one entry may weigh. Default `maxSize`. */
  maxEntrySize?: number
  /** Milliseconds for which a reading of the clock may serve. Default 1. */
  ttlResolution?: number
  /** Whether stale entries leave by themselves, with a timer each. Default false. */
  ttlAutopurge?: boolean
  /** Hears who left. */
  dispose?: Disposer<K, V>
  /** Hears who left, after `dispose` and `onInsert` have heard everything. */
  disposeAfter?: Disposer<K, V>
  /** Hears who came. */
  onInsert?: Inserter<K, V>
  /** Gets values for `fetch`. */
  fetchMethod?: Fetcher<K, V, FC>
  /** Computes values for `memo`. */
  memoMethod?: Memoizer<K, V, FC>
  /** Taken and without effect: a fetch under way weighs nothing here. */
  backgroundFetchSize?: number
  /** Elapsed milliseconds. Default `performance`. */
  perf?: Perf
  /** Not in lru-cache: timers for `ttlResolution` and `ttlAutopurge`. Default the platform's. */
  timers?: Timers
  /** Not in lru-cache: the wall clock of `dump`, `load` and `info`. Default `Date.now`. */
  now?: () => number
  /** Not in lru-cache: a number in [0, 1) that seeds the hash. Default `Math.random`. */
  random?: () => number
  /** Not in lru-cache: hears what listeners throw. Default: an unhandled rejection. */
  onError?: (error: unknown, key: K) => void
}

/** Options of the constructor, each of which may also be undefined. */
export type GivenOptions<K, V, FC> = {
  readonly [Name in keyof OptionsBase<K, V, FC>]?: OptionsBase<K, V, FC>[Name] | undefined
}

/** Options that bound the number of entries. */
export interface OptionsMaxLimit<K, V, FC> extends OptionsBase<K, V, FC> {
  max: number
}

/** Options that bound what entries weigh. */
export interface OptionsSizeLimit<K, V, FC> extends OptionsBase<K, V, FC> {
  maxSize: number
}

/** Options that bound the time entries live. */
export interface OptionsTTLLimit<K, V, FC> extends OptionsBase<K, V, FC> {
  ttl: number
  ttlAutopurge: boolean
}

/** Options of the constructor. */
export type Options<K, V, FC> =
  | OptionsMaxLimit<K, V, FC>
  | OptionsSizeLimit<K, V, FC>
  | OptionsTTLLimit<K, V, FC>

/** An entry as `info`, `dump` and `load` know it. */
export interface Entry<V> {
  value: V
  ttl?: number
  size?: number
  start?: number
}
