// The map that a router goes by, and what it does when a shard refuses it: load the map again, or
// wait for a slot that moves; both boundedly, since a fence that keeps refusing the newest map is
// an operator's matter.
//
// Invariant: the epoch never goes back, whatever the store says.

import type { MapStore } from './map-store.ts'
import { ShardError } from './shard-error.ts'
import { ShardMap } from './shard-map.ts'
import { abortable, sleep, type Timers } from './timers.ts'

const FIRST_WAIT_MS = 4
const LONGEST_WAIT_MS = 128

/** What the router's map needs to know. */
export interface RouterMapSettings {
  readonly store: MapStore
  readonly maxRefreshes: number
  readonly frozenWaitMs: number
  readonly monotonic: () => number
  readonly random: () => number
  readonly timers: Timers
}

/** The map in use, and how calls get past a change of it. */
export class RouterMap {
  /** Calls that loaded the map again, having been refused by a fence. */
  refreshes = 0
  /** Waits for a slot that was moving. */
  frozenWaits = 0
  readonly #settings: RouterMapSettings
  #map: ShardMap
  #loading: Promise<ShardMap> | undefined
  #next: Promise<ShardMap> | undefined

  constructor(map: ShardMap, settings: RouterMapSettings) {
    this.#map = map
    this.#settings = settings
  }

  get current(): ShardMap {
    return this.#map
  }

  /**
   * Loads the map in force. Calls made at the same time share one load; never one that had begun
   * before the call, for it may have seen an older map.
   *
   * @throws {ShardError} `NO_MAP`, `INVALID_MAP`, and what the store throws.
   */
  refresh(): Promise<ShardMap> {
    if (this.#loading === undefined) return this.#start()
    this.#next ??= this.#loading.then(Boolean, Boolean).then(() => {
      this.#next = undefined
      return this.#start()
    })
    return this.#next
  }

  /**
   * Attempts it until no fence refuses: see above for how often. What it was refused with last is
   * thrown if the map in force is the one it went by, or the bounds are reached.
   *
   * @param isPatient Waits then as for a slot that moves: fences follow their map a moment later.
   */
  async retry<R>(attempt: () => Promise<R>, signal?: AbortSignal, isPatient = false): Promise<R> {
    let refreshes = 0
    let giveUpAt: number | undefined
    for (let waits = 0; ; ) {
      signal?.throwIfAborted()
      const used = this.#map
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof ShardError)) throw error
        let isPassing = error.code === 'SHARD_FROZEN'
        if (error.code === 'SHARD_MOVED' || error.code === 'STALE_EPOCH') {
          const mayRefresh = refreshes++ < this.#settings.maxRefreshes
          if (mayRefresh && (await this.#isOutdated(used, signal))) continue
          isPassing = isPatient
        }
        if (!isPassing) throw error
        giveUpAt ??= this.#settings.monotonic() + this.#settings.frozenWaitMs
        await this.#wait(error, waits++, giveUpAt, signal)
      }
    }
  }

  async #isOutdated(used: ShardMap, signal: AbortSignal | undefined): Promise<boolean> {
    // Another call may have loaded it while this one was under way.
    if (this.#map.epoch > used.epoch) return true
    this.refreshes += 1
    const { epoch } = await abortable(this.refresh(), signal)
    return epoch > used.epoch
  }

  async #wait(
    error: ShardError,
    waits: number,
    giveUpAt: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { monotonic, random, timers } = this.#settings
    const leftMs = giveUpAt - monotonic()
    if (leftMs <= 0) throw error
    this.frozenWaits += 1
    const spanMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** waits)
    // Between half and all of it, so that those who met a frozen slot do not come back in step.
    await sleep(timers, Math.min(leftMs, spanMs * (0.5 + random() / 2)), signal)
    // A key on its way to a slot of its own has arrived when the map says so, no fence tells. If
    // the store does not answer, the next attempt decides.
    await abortable(this.refresh().catch(Boolean), signal)
  }

  #start(): Promise<ShardMap> {
    const loading = this.#load().finally(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
    this.#loading = loading
    return loading
  }

  async #load(): Promise<ShardMap> {
    const { store } = this.#settings
    const epoch = await store.epoch()
    if (epoch !== undefined && epoch <= this.#map.epoch) return this.#map
    const json = await store.load()
    if (json === undefined) throw noMap()
    if (json.epoch > this.#map.epoch) this.#map = ShardMap.fromJSON(json)
    return this.#map
  }
}

/** The error of a store that holds no map. */
export function noMap(): ShardError {
  return new ShardError(
    'NO_MAP',
    'the store holds no map; give the first one to open as `map`, or run `ashlar-shard init`',
  )
}
