// A LoadingCache as slow and plain as can be: no generations but lists that are searched, no
// promises but reads that are marked. Time, loads and who leaves are operations like the others.

/** Options of the model, all of them numbers. */
export interface ModelOptions {
  readonly ttlMs: number
  readonly staleMs: number
  readonly staleIfErrorMs: number
  readonly negativeTtlMs: number
  readonly loadTimeoutMs: number
}

export type Fate = 'waiting' | { readonly value: string | null } | { readonly error: string }

interface Known {
  readonly value: string | null | undefined
  readonly fresh: number
  readonly stale: number
  readonly error: number
  readonly tags: readonly string[]
  readonly failure?: { readonly error: string; readonly until: number }
}

/** A load under way, or over. */
interface Loading {
  readonly key: string
  readonly born: number
  readonly isBackground: boolean
  known: Known | undefined
  /**
   * Reads that wait, by their number, whether an invalidation was made before they came, and
   * whether a value might be too old for them.
   */
  readonly waiting: Map<number, { readonly isLate: boolean; readonly isTooLate: boolean }>
  /** What was invalidated since it began. */
  readonly tags: Set<string>
  isTouched: boolean
  isSwept: boolean
  isOver: boolean
}

const NEVER = Number.NEGATIVE_INFINITY

export class LoadingModel {
  nowMs = 0
  readonly fates: Fate[] = []
  readonly loads: Loading[] = []
  readonly #options: ModelOptions
  #known = new Map<string, Known>()
  readonly #table = new Map<string, Loading>()

  constructor(options: ModelOptions) {
    this.#options = options
  }

  /** What `entry` tells. */
  entry(key: string): Known | undefined {
    return this.#known.get(key)
  }

  get(key: string): void {
    this.#read(key, this.fates.push('waiting') - 1)
  }

  set(key: string, value: string | null, tags: readonly string[]): void {
    const load = this.#table.get(key)
    this.#detach(key)
    this.#keep(key, value, this.nowMs, tags)
    if (load === undefined || load.isOver) return
    for (const read of load.waiting.keys()) this.fates[read] = { value }
    load.isOver = true
  }

  delete(key: string): void {
    this.#detach(key)
    this.#known.delete(key)
  }

  expire(key: string): void {
    this.#detach(key)
    const known = this.#known.get(key)
    if (known && this.nowMs < known.fresh) this.#known.set(key, { ...known, fresh: this.nowMs })
  }

  invalidateTag(tag: string): void {
    const isHit = (known: Known | undefined) => known?.tags.includes(tag) === true
    for (const [key, known] of this.#known) if (isHit(known)) this.#known.delete(key)
    for (const load of this.loads) {
      load.tags.add(tag)
      load.isTouched = true
      if (isHit(load.known)) load.known = undefined
    }
  }

  invalidatePrefix(prefix: string): void {
    for (const key of this.#known.keys()) if (key.startsWith(prefix)) this.#known.delete(key)
    for (const load of this.loads) {
      load.isTouched = true
      if (load.key.startsWith(prefix)) load.isSwept = true
    }
  }

  clear(): void {
    this.#known = new Map()
    for (const load of this.loads) load.isTouched = load.isSwept = true
  }

  /** The read number `read` leaves, if it waits. */
  leave(read: number): void {
    if (this.fates[read] !== 'waiting') return
    this.fates[read] = { error: 'left' }
    const load = this.loads.find((one) => !one.isOver && one.waiting.has(read))!
    load.waiting.delete(read)
    if (load.waiting.size > 0 || load.isBackground) return
    load.isOver = true
    this.#forget(load)
  }

  pass(ms: number): void {
    this.nowMs += ms
    for (const load of [...this.loads]) {
      if (this.nowMs >= load.born + this.#options.loadTimeoutMs) this.#fail(load, 'timeout')
    }
  }

  bring(number: number, value: string | null, tags: readonly string[]): void {
    const load = this.loads[number]
    if (load === undefined || load.isOver) return
    load.isOver = true
    const isReached = load.isSwept || tags.some((tag) => load.tags.has(tag))
    if (this.#forget(load) && !isReached) this.#keep(load.key, value, load.born, tags)
    for (const [read, { isLate, isTooLate }] of load.waiting) {
      if (isTooLate || (isLate && isReached)) this.#read(load.key, read)
      else this.fates[read] = { value }
    }
  }

  fail(number: number, error: string): void {
    const load = this.loads[number]
    if (load !== undefined) this.#fail(load, error)
  }

  #fail(load: Loading, error: string): void {
    if (load.isOver) return
    load.isOver = true
    const known = load.isSwept ? undefined : load.known
    const isCurrent = this.#forget(load) && !load.isSwept
    const isHidden = isCurrent && known !== undefined && this.nowMs < known.error
    if (isCurrent && this.#options.negativeTtlMs > 0) {
      const bare = { value: undefined, fresh: NEVER, stale: NEVER, error: NEVER, tags: [] }
      const failure = { error, until: this.nowMs + this.#options.negativeTtlMs }
      this.#known.set(load.key, { ...(known ?? bare), failure })
    }
    for (const read of load.waiting.keys()) {
      this.fates[read] = isHidden ? { value: known.value as string } : { error }
    }
  }

  #read(key: string, read: number): void {
    const known = this.#known.get(key)
    const now = this.nowMs
    const failure = known?.failure && now < known.failure.until ? known.failure : undefined
    if (known && (now < known.fresh || (failure && now < known.error))) {
      this.fates[read] = { value: known.value as string }
    } else if (failure) {
      this.fates[read] = { error: failure.error }
    } else if (known && now < known.stale) {
      this.fates[read] = { value: known.value as string }
      if (this.#join(key) === undefined) this.#begin(key, true)
    } else {
      const load = this.#join(key) ?? this.#begin(key, false)
      const { ttlMs, staleMs } = this.#options
      const isTooLate = now - load.born >= ttlMs + staleMs
      load.waiting.set(read, { isLate: load.isTouched, isTooLate })
    }
  }

  #join(key: string): Loading | undefined {
    if (this.#table.get(key)?.isSwept) this.#detach(key)
    return this.#table.get(key)
  }

  #begin(key: string, isBackground: boolean): Loading {
    const load: Loading = {
      key,
      born: this.nowMs,
      isBackground,
      known: this.#known.get(key),
      waiting: new Map(),
      tags: new Set(),
      isTouched: false,
      isSwept: false,
      isOver: false,
    }
    this.loads.push(load)
    this.#table.set(key, load)
    return load
  }

  #detach(key: string): void {
    const load = this.#table.get(key)
    this.#table.delete(key)
    if (load?.waiting.size === 0) load.isOver = true
  }

  #forget(load: Loading): boolean {
    return this.#table.get(load.key) === load && this.#table.delete(load.key)
  }

  #keep(key: string, value: string | null, born: number, tags: readonly string[]): void {
    const { ttlMs, staleMs, staleIfErrorMs, negativeTtlMs } = this.#options
    if (value === null) {
      const end = this.nowMs + negativeTtlMs
      if (negativeTtlMs === 0) this.#known.delete(key)
      else this.#known.set(key, { value, fresh: end, stale: end, error: end, tags })
      return
    }
    const fresh = born + ttlMs
    const error = fresh + Math.max(staleMs, staleIfErrorMs)
    this.#known.set(key, { value, fresh, stale: fresh + staleMs, error, tags })
  }
}
