// Where Redis is on this machine. No npm package ships it, so it may be missing: then the files
// *.redis.test.ts are left out, and `npm test` names them with the line that installs it.

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The line that installs Redis. */
export const INSTALL_REDIS = 'apt-get install redis-server (or set REDIS_BIN to a redis-server)'

/**
 * The path of a redis-server, or undefined: `REDIS_BIN` goes first.
 *
 * @throws Error if REDIS_BIN names something that is not there.
 */
export function findRedis(): string | undefined {
  const named = process.env.REDIS_BIN
  if (named !== undefined && !existsSync(named)) {
    throw new Error(`REDIS_BIN names ${named}, which does not exist: mend it or unset it`)
  }
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return named ?? places.map((place) => join(place, 'redis-server')).find((at) => existsSync(at))
}
