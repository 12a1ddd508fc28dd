// The module that tells the command of a fleet, checked.

import type { Engine, MapStore, ShardMap, ShardRouter } from '../index.ts'
import { UsageError } from './arguments.ts'

type Limits = Parameters<typeof ShardRouter.open>[0]['limits']

/** The default export of the module that `--config` names. */
export interface CommandConfig {
  readonly engine: Engine
  readonly store: MapStore
  /** The first map of the fleet, for `init`. */
  readonly map?: ShardMap | undefined
  /** SQL for `init` to run on each shard. */
  readonly ddl?: readonly string[] | undefined
  /** What a shard may hold, for `capacity`. */
  readonly limits?: Limits
}

/**
 * The configuration that a module exported.
 *
 * @throws {UsageError} if it is none.
 */
export function configOf(file: string, exported: unknown): CommandConfig {
  if (typeof exported !== 'object' || exported === null) {
    throw new UsageError(`${file} must export { engine, store } as its default`)
  }
  for (const [name, method] of [
    ['engine', 'scan'],
    ['store', 'compareAndSet'],
  ] as const) {
    if (!hasMethod(Reflect.get(exported, name), method)) {
      throw new UsageError(`the default export of ${file} has no ${name}`)
    }
  }
  return exported as CommandConfig
}

function hasMethod(value: unknown, name: string): boolean {
  return (
    typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'
  )
}
