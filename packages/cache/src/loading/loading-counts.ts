// Counters of a LoadingCache while they count.

import type { LoadingStats } from './loading-events.ts'

/** The counters of {@link LoadingStats}, to be written. */
export class LoadingCounts implements LoadingStats {
  hits = 0
  staleHits = 0
  negativeHits = 0
  misses = 0
  joins = 0
  loads = 0
  failures = 0
  refreshes = 0
  errorsHidden = 0
  overtaken = 0
}
