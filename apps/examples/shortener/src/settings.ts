// What the environment says, checked once.

/** How the server is set up. */
export interface Settings {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** What short links begin with; default the address that the server listens on. */
  readonly baseUrl: string | undefined
  /** The folder of the SQLite files; of no meaning where there are `databaseUrls`. */
  readonly dataDir: string
  /** PostgreSQL databases, one a shard; the first also holds the map. None: SQLite. */
  readonly databaseUrls: readonly string[]
  /** How many shards a fleet begins with. */
  readonly shards: number
  /** Who has it may add shards; undefined: nobody. */
  readonly adminToken: string | undefined
}

/** @throws an error that names the variable that is wrong, and what it may be. */
export function settingsOf(env: Readonly<Record<string, string | undefined>>): Settings {
  const databaseUrls = (env.DATABASE_URLS ?? '').split(',').filter((url) => url !== '')
  const mostShards = databaseUrls.length || 8
  return {
    host: env.HOST || '127.0.0.1',
    port: wholeNumber('PORT', env.PORT || '8080', 0, 65_535),
    baseUrl: env.BASE_URL?.replace(/\/+$/u, '') || undefined,
    dataDir: env.DATA_DIR || 'data',
    databaseUrls,
    shards: wholeNumber('SHARDS', env.SHARDS || String(Math.min(2, mostShards)), 1, mostShards),
    adminToken: env.ADMIN_TOKEN || undefined,
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new Error(`${name} is ${text}: it must be a whole number from ${least} to ${most}`)
}
