// Dots: one event of one replica, and runs of them. (Preguiça et al., "Dotted version vectors",
// 2010.)

/** One event: the `counter`-th of replica `id`, counted from 1. */
export interface Dot {
  readonly id: string
  readonly counter: number
}

/** Consecutive events of replica `id`: the counters `from` to `to`, both included. */
export interface DotRange {
  readonly id: string
  readonly from: number
  readonly to: number
}
