import { ShardError } from './shard-error.ts'

/** Whether an error says that a shard does not answer, rather than that it refuses. */
export function isSilence(error: unknown): boolean {
  return error instanceof ShardError && error.code === 'UNREACHABLE'
}
