// The cache servers by the kind that the command line names: within this process, or Redis.

import { MemoryBackend } from './cache-host.ts'
import type { MakeBackend } from './city-caches.ts'
import type { Closers } from './closers.ts'

/** The kinds there are. */
export const CACHES = ['memory', 'redis'] as const

/** One of {@link CACHES}. */
export type CacheKind = (typeof CACHES)[number]

/** What the command line says about the cache servers. */
export interface CacheServerOptions {
  readonly cache: CacheKind
  /** Redis servers of the user's own; none: servers are started for this run. */
  readonly redis: readonly string[]
}

/** The servers, open. */
export interface CacheBackends {
  readonly makeBackend: MakeBackend
  /** What they are, in words. */
  readonly where: string
}

/** Opens cache servers; what `closers` is given ends them, also if this fails half-way. */
export async function openBackends(
  { cache, redis }: CacheServerOptions,
  closers: Closers,
): Promise<CacheBackends> {
  if (cache === 'memory') {
    const makeBackend: MakeBackend = (server, time) => new MemoryBackend(server, time)
    return { makeBackend, where: 'the servers are in this process, in simulated time' }
  }
  // Loaded when asked for: who caches in memory needs no driver of Redis.
  const { openRedis } = await import('./redis-backends.ts')
  return openRedis(redis, closers)
}
