// The command line of the atlas, read by node:util's parseArgs and checked here.

import { parseArgs } from 'node:util'
import { CACHES, type CacheKind } from './cache-backends.ts'
import { DEFAULT_POLICY, RACERS } from './racer.ts'
import { ENGINES, type EngineKind } from './shard-databases.ts'
import { STONES, ZONES } from './stone.ts'

/** What the command line asked for. */
export interface Options {
  readonly help: boolean
  /** Tell the story and end, without the page. */
  readonly once: boolean
  /** Port of the page on loopback; 0 takes a free one. */
  readonly port: number
  readonly nodes: number
  readonly virtualNodes: number
  readonly seed: number
  /** Which of the caches serves the crowd: the id of a racer. */
  readonly policy: string
  /** What the cities are stored in. */
  readonly engine: EngineKind
  /** PostgreSQL servers of the user's own, as URLs; none: servers are started for the run. */
  readonly postgres: readonly string[]
  /** What the cache servers are. */
  readonly cache: CacheKind
  /** Redis servers of the user's own, as URLs; none: servers are started for the run. */
  readonly redis: readonly string[]
  /** The seed of a simulation to run instead of the story. */
  readonly simulate: number | undefined
}

/** Thrown on a command line that cannot be followed; the message says how to mend it. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
  readonly code = 'ERR_ATLAS_OPTION'
}

/** A database a shard and one for the map: more servers would have nothing to do. */
const MOST_SERVERS = 5

/** Three cache servers, and one that joins. */
const MOST_CACHES = 4

const POLICIES = RACERS.map(({ id }) => id).join(', ')

/** What `--help` prints. */
export const USAGE: string = `Usage: npm start [-- OPTIONS]

Places the cities of the world on a consistent-hash ring, checks every promise on the way,
and shows it all on a page on loopback until Ctrl-C.

  --once               tell the story and end: 0, or 1 if a promise is broken
                       (so it is as well when the output is not a terminal)
  --port N             port of the page, 0 to 65535 (default 0: a free one)
  --nodes N            nodes at the start, ${2 * ZONES.length} to ${STONES.length - 1} (default 12)
  --virtual-nodes N    points of each node on the ring, 1 to 4096 (default 256)
  --seed N             seed of the ring, 0 to 4294967295 (default 0)
  --policy NAME        cache that serves the crowd (default ${DEFAULT_POLICY}); one of
                       ${POLICIES}
  --engine NAME        where the cities are stored (default sqlite); one of
                       ${ENGINES.join(', ')}; both leave nothing behind
  --postgres URL,…     servers of your own for --engine postgres, 1 to ${MOST_SERVERS}; the atlas
                       makes databases ashlar_atlas_… there and drops them at the end
                       (default: five servers that it starts, and stops at the end)
  --cache NAME         what the cache servers are (default memory); one of
                       ${CACHES.join(', ')}
  --redis URL,…        servers of your own for --cache redis, 1 to ${MOST_CACHES}; the atlas cuts
                       itself off from them, and removes its keys ashlar:atlas:… at the end
                       (default: four servers that it starts, kills, and stops at the end)
  --simulate SEED      instead: the ring under faults in a simulated world, and its hash
  --help               print this
`

/**
 * The options in `argv` (without node and script).
 * @throws {OptionError} on an option that is unknown, or a value that is out of range.
 */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parse(argv)
  const postgres = urls('postgres', values.postgres, MOST_SERVERS)
  const redis = urls('redis', values.redis, MOST_CACHES)
  return {
    help: values.help,
    once: values.once,
    port: integer('port', values.port, 0, 65_535),
    // Two a zone, so that one may leave; and one stone left over, so that one may join.
    nodes: integer('nodes', values.nodes, 2 * ZONES.length, STONES.length - 1),
    virtualNodes: integer('virtual-nodes', values['virtual-nodes'], 1, 4_096),
    seed: integer('seed', values.seed, 0, 0xffff_ffff),
    policy: policy(values.policy),
    engine: kind('engine', ENGINES, values.engine, { name: 'postgres', urls: postgres }),
    postgres,
    cache: kind('cache', CACHES, values.cache, { name: 'redis', urls: redis }),
    redis,
    simulate:
      values.simulate === undefined
        ? undefined
        : integer('simulate', values.simulate, 0, Number.MAX_SAFE_INTEGER),
  }
}

// The return type is what parseArgs infers from the options below.
function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        once: { type: 'boolean', default: false },
        port: { type: 'string', default: '0' },
        nodes: { type: 'string', default: '12' },
        'virtual-nodes': { type: 'string', default: '256' },
        seed: { type: 'string', default: '0' },
        policy: { type: 'string', default: DEFAULT_POLICY },
        engine: { type: 'string' },
        postgres: { type: 'string' },
        cache: { type: 'string' },
        redis: { type: 'string' },
        simulate: { type: 'string' },
      },
    })
  } catch (error) {
    throw new OptionError(`${error instanceof Error ? error.message : error} (see --help)`)
  }
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/u.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new OptionError(
    `--${name} must be an integer from ${min} to ${max}, got ${JSON.stringify(text)}`,
  )
}

function policy(text: string): string {
  if (RACERS.some(({ id }) => id === text)) return text
  throw new OptionError(`--policy must be one of ${POLICIES}, got ${JSON.stringify(text)}`)
}

/** One of several kinds, of which one takes servers of the user's own and needs no word then. */
function kind<K extends string>(
  option: string,
  kinds: readonly [K, ...K[]],
  text: string | undefined,
  own: { readonly name: K; readonly urls: readonly string[] },
): K {
  const one = text === undefined ? kinds[0] : kinds.find((name) => name === text)
  if (one === undefined) {
    const allowed = kinds.join(', ')
    throw new OptionError(`--${option} must be one of ${allowed}, got ${JSON.stringify(text)}`)
  }
  if (own.urls.length === 0 || one === own.name) return one
  if (text === undefined) return own.name
  throw new OptionError(
    `--${own.name} is for --${option} ${own.name}, not ${one}: leave one of them out`,
  )
}

/** What is wrong is named by its place: a URL may hold a password. */
function urls(option: keyof typeof SCHEMES, text: string | undefined, most: number): string[] {
  if (text === undefined) return []
  const all = text.split(',').map((url) => url.trim())
  const { scheme, example } = SCHEMES[option]
  const wrong = all.findIndex((url) => !scheme.test(URL.parse(url)?.protocol ?? ''))
  if (wrong < 0 && all.length <= most) return all
  const what = wrong < 0 ? `${all.length} of them` : `another thing as number ${wrong + 1}`
  throw new OptionError(
    `--${option} must be 1 to ${most} URLs like ${example}, with commas between them, got ${what}`,
  )
}

const SCHEMES = {
  postgres: { scheme: /^postgres(?:ql)?:$/u, example: 'postgres://user@host/database' },
  redis: { scheme: /^rediss?:$/u, example: 'redis://host:6379' },
} as const
