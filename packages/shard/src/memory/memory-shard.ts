// A shard as the memory engine works on it: its database, how steps on it are taken, and what ends
// when it does.

import type { EngineSteps } from './engine-steps.ts'
import type { MemoryDatabase } from './memory-database.ts'

/** What ends when its shard crashes or the engine is closed. */
export interface Ending {
  fail(reason: unknown): void
}

/** One shard of a {@link MemoryEngine}. */
export interface MemoryShard {
  readonly id: string
  readonly database: MemoryDatabase
  readonly steps: EngineSteps
  /** Transactions, scans and waits that end when the shard or the engine does. */
  readonly open: Set<Ending>
  isDown: boolean
}
