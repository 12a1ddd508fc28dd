// The breaker as a story, slow and obvious: everything that happened is kept in lists, and whatever
// is asked is counted anew. It shares no code with the package.

/** A rule of half the kinds there are; times are whole milliseconds. */
export interface ModelRule {
  readonly window:
    | { readonly kind: 'time'; readonly ms: number; readonly buckets: number }
    | { readonly kind: 'count'; readonly calls: number }
    | { readonly kind: 'streak'; readonly failures: number }
  readonly rate: number
  readonly minCalls: number
  readonly slow: { readonly ms: number; readonly rate: number } | undefined
  readonly open: {
    readonly initialMs: number
    readonly maxMs: number
    readonly factor: number
    readonly jitter: number
  }
  readonly probes: number
  readonly probeRate: number | undefined
  readonly probeTimeoutMs: number
  /** What `random` always gives. */
  readonly chance: number
}

type Outcome = 'ok' | 'fail' | 'ignore'

interface ModelCall {
  readonly beganIn: number
  readonly atMs: number
  isProbe: boolean
  ended: boolean
}

interface Ended {
  readonly atMs: number
  readonly failed: boolean
  readonly slow: boolean
}

export class BreakerModel {
  state: 'closed' | 'open' | 'half-open' | 'isolated' = 'closed'
  readonly #rule: ModelRule
  /** How often the past was forgotten: calls that began before do not count. */
  #chapter = 0
  #openUntilMs = 0
  #openings = 0
  #holds = 0
  #calls: ModelCall[] = []
  #ended: Ended[] = []
  admitted = 0
  rejected = 0
  readonly outcomes: Record<Outcome, number> = { ok: 0, fail: 0, ignore: 0 }

  constructor(rule: ModelRule) {
    this.#rule = rule
  }

  look(nowMs: number): void {
    if (this.state === 'open' && nowMs >= this.#openUntilMs) this.#turn('half-open')
  }

  begin(nowMs: number): ModelCall | undefined {
    this.look(nowMs)
    const { probes, probeTimeoutMs } = this.#rule
    const isProbe = this.state === 'half-open'
    const held = this.#calls.filter(
      ({ beganIn, ended, atMs }) =>
        beganIn === this.#chapter && !ended && nowMs - atMs < probeTimeoutMs,
    )
    const isFull = this.#ended.length + held.length >= probes
    if (this.state === 'open' || this.state === 'isolated' || (isProbe && isFull)) {
      this.rejected++
      return undefined
    }
    this.admitted++
    const call = { beganIn: this.#chapter, atMs: nowMs, isProbe, ended: false }
    this.#calls.push(call)
    return call
  }

  end(call: ModelCall, outcome: Outcome, nowMs: number): void {
    if (call.ended) return
    call.ended = true
    this.outcomes[outcome]++
    if (outcome === 'ignore' || call.beganIn !== this.#chapter) return
    const { slow, probeTimeoutMs, probeRate, probes } = this.#rule
    const tookMs = nowMs - call.atMs
    if (call.isProbe && tookMs >= probeTimeoutMs) return
    const failed = outcome === 'fail'
    this.#ended.push({ atMs: nowMs, failed, slow: slow !== undefined && tookMs >= slow.ms })
    const { calls, failures, slowCalls } = this.remembered(nowMs)
    if (this.state === 'half-open') {
      const isOver = probeRate === undefined && failures > 0
      if (calls < probes && !isOver) return
      const isBad = isOver || failures / calls >= (probeRate ?? 2)
      const isSlow = slow !== undefined && slowCalls / calls >= slow.rate
      if (isBad || isSlow) this.#open(nowMs)
      else this.#close()
      return
    }
    if (calls < this.#rule.minCalls) return
    const isBad = failures > 0 && failures / calls >= this.#rule.rate
    const isSlow = slow !== undefined && slowCalls / calls >= slow.rate
    if (isBad || isSlow) this.#open(nowMs)
  }

  reset(): void {
    if (this.state !== 'isolated') this.#close()
  }

  openFor(ms: number, nowMs: number): void {
    const untilMs = nowMs + Math.min(ms, this.#rule.open.maxMs)
    const restMs = this.state === 'open' ? Math.max(0, this.#openUntilMs - nowMs) : 0
    if (this.state === 'isolated' || restMs >= untilMs - nowMs) return
    this.#turn('open')
    this.#openUntilMs = untilMs
  }

  isolate(): void {
    this.#holds++
    if (this.#holds === 1) this.#turn('isolated')
  }

  release(): void {
    this.#holds--
    if (this.#holds === 0) this.#close()
  }

  get inFlight(): number {
    return this.#calls.filter((call) => !call.ended).length
  }

  remembered(nowMs: number): { calls: number; failures: number; slowCalls: number } {
    const { window } = this.#rule
    let ended = this.#ended
    if (this.state === 'closed' && window.kind === 'time') {
      const bucketMs = window.ms / window.buckets
      const first = Math.floor(nowMs / bucketMs) - window.buckets + 1
      ended = ended.filter(({ atMs }) => Math.floor(atMs / bucketMs) >= first)
    }
    if (this.state === 'closed' && window.kind === 'count') ended = ended.slice(-window.calls)
    if (this.state === 'closed' && window.kind === 'streak') {
      const lastOk = ended.findLastIndex(({ failed }) => !failed)
      const failures = ended.length - 1 - lastOk
      return { calls: failures, failures, slowCalls: 0 }
    }
    return {
      calls: ended.length,
      failures: ended.filter(({ failed }) => failed).length,
      slowCalls: ended.filter(({ slow }) => slow).length,
    }
  }

  #open(nowMs: number): void {
    const { initialMs, maxMs, factor, jitter } = this.#rule.open
    let ms = initialMs
    for (let i = 0; i < this.#openings; i++) ms *= factor
    this.#openings++
    this.#turn('open')
    this.#openUntilMs = nowMs + Math.min(ms, maxMs) * (1 - jitter * this.#rule.chance)
  }

  #close(): void {
    this.#openings = 0
    this.#turn('closed')
  }

  #turn(to: BreakerModel['state']): void {
    this.state = to
    this.#chapter++
    this.#ended = []
  }
}
