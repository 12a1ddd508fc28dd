// The arguments of the command, read strictly: what is not understood is refused, with a line that
// says what would be.

import { parseArgs } from 'node:util'

/** What the command can be asked to do. */
const COMMANDS = ['init', 'status', 'route', 'hot', 'capacity', 'verify'] as const

/** What the command is asked to do. */
export interface Request {
  readonly command: (typeof COMMANDS)[number]
  /** The module that tells of the fleet. */
  readonly config: string
  readonly json: boolean
  readonly table: string | undefined
  /** `route`: the key, column by column. */
  readonly key: readonly string[]
  /** `hot`: how many keys of each table. */
  readonly top: number
  /** `capacity`: how long to wait between two measures, in milliseconds; 0: measure once. */
  readonly waitMs: number
}

/** Arguments that ask for nothing the command can do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  constructor(message: string) {
    super(`${message}; see ashlar-shard --help`)
  }
}

/** Reads the arguments after the name of the command; undefined where help is asked for. */
export function requestOf(args: readonly string[]): Request | undefined {
  const { values, positionals } = parse(args)
  const [name, ...key] = positionals
  if (values.help || name === 'help') return undefined
  const command = COMMANDS.find((one) => one === name)
  if (command === undefined) {
    throw new UsageError(`the command must be one of ${COMMANDS.join(', ')}, got ${name ?? 'none'}`)
  }
  if (values.config === undefined) {
    throw new UsageError('--config is missing: the module that exports the engine and the store')
  }
  if (command === 'route' && key.length === 0) {
    throw new UsageError('route takes a key: its columns one after the other')
  }
  if (command !== 'route' && key.length > 0) {
    throw new UsageError(`${command} takes no ${key.join(' ')}`)
  }
  return {
    command,
    config: values.config,
    json: values.json,
    table: values.table,
    key,
    top: Math.floor(numberOf('--top', values.top, 1)),
    waitMs: numberOf('--wait', values.wait, 0) * 1_000,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false, short: 'h' },
        json: { type: 'boolean', default: false },
        config: { type: 'string', short: 'c' },
        table: { type: 'string', short: 't' },
        top: { type: 'string', default: '10' },
        wait: { type: 'string', default: '0' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function numberOf(name: string, text: string, least: number): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number) && number >= least) return number
  throw new UsageError(`${name} must be a number of at least ${least}, got ${JSON.stringify(text)}`)
}

/** What `--help` prints. */
export const USAGE = `\
Looks after a fleet of shards.

  ashlar-shard init     --config FILE                     put the first map in force
  ashlar-shard status   --config FILE                     epoch, shards, what is left open
  ashlar-shard route    --config FILE KEY… [--table NAME] where a key lies
  ashlar-shard hot      --config FILE [--table NAME]      the shard keys with most rows
  ashlar-shard capacity --config FILE [--wait SECONDS]    rows and bytes, growth, days left
  ashlar-shard verify   --config FILE [--table NAME]      rows and fences against the map

  ashlar-shard plan      --config FILE CHANGE             what a change would move; moves nothing
  ashlar-shard reshard   --config FILE [CHANGE]           make a job of it and work on it, or work
                                                          on the job that is under way
  ashlar-shard rebalance --config FILE [--dry-run]        even out what the shards hold
  ashlar-shard jobs      --config FILE                    the last jobs
  ashlar-shard pause | resume | abort | cutover | reverse | finish --config FILE
                                                          steer the job that is under way

CHANGE: --add SHARD … --remove SHARD … --weight SHARD=N … --move SLOT=SHARD …

FILE is a module whose default export is { engine, store, map, ddl, limits }, as for
ShardRouter.open; map is for init alone, limits for capacity, ddl for init and for new shards.

Options:
  -c, --config FILE   the module
  -t, --table NAME    only this table; for route: the table whose rule places the key
      --top N         hot: how many keys of each table; default 10
      --wait SECONDS  capacity: measure twice, so long apart, to tell growth; default 0: once
      --json          print JSON; a number that is infinite is null

Options of jobs:
      --until STATE        where to stop: ready, reversible, done …; default done
      --auto               cut over as soon as it is ready; default: wait for cutover
      --reversible SECONDS finish by itself so long after the cutover; default: wait for finish
      --capture KIND       trigger or logical; default the best that the engine has
      --verify             compare once more while slots are frozen
      --batch N            slots frozen at once; default 256
      --max-freeze MS      let a batch go that was frozen for so long; default 500
      --rows-per-second N  copy no faster
      --max-latency MS     copy nothing while a shard answers more slowly
      --max-lag MS         copy nothing while a replica is further behind
      --by rows|bytes      rebalance: what is evened out; default bytes
      --factor N           rebalance: how far above its share a shard may be; default 1.1
      --job ID             another job than the one under way

Exit code: 0 all is well, 1 something is not as it should be, 2 it could not be done.
`
