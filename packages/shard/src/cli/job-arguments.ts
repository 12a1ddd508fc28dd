// Reads the arguments of the commands about jobs; everything else about arguments is in
// arguments.ts.

import { parseArgs } from 'node:util'
import type { CaptureKind } from '../index.ts'
import type { ReshardChange, ReshardOptions, ReshardState } from '../reshard/index.ts'
import { RESHARD_STATES } from '../reshard/reshard-state.ts'
import { UsageError } from './arguments.ts'

/** The commands that steer a job. */
const WISHES = ['pause', 'resume', 'abort', 'cutover', 'reverse', 'finish'] as const
/** The others about jobs. */
const JOB_COMMANDS = ['plan', 'reshard', 'rebalance', 'jobs'] as const

/** What is asked of a job. */
export interface JobRequest {
  readonly command: (typeof JOB_COMMANDS)[number] | (typeof WISHES)[number]
  readonly config: string
  readonly json: boolean
  /** The job; default the one that is under way. */
  readonly id: string | undefined
  /** What is to change; undefined: go on with a job that there is. */
  readonly change: ReshardChange | undefined
  /** `rebalance`: what is evened out, and how far. */
  readonly by: 'rows' | 'bytes' | undefined
  readonly factor: number | undefined
  /** `rebalance`: says what would move, and moves nothing. */
  readonly isDryRun: boolean
  /** Where to stop. */
  readonly until: ReshardState
  readonly options: Pick<ReshardOptions, 'capture' | 'throttle' | 'cutover' | 'reversibleMs'>
}

/** Whether a command steers a job. */
export function isWish(command: JobRequest['command']): command is (typeof WISHES)[number] {
  return WISHES.some((wish) => wish === command)
}

/** Reads the arguments, if their first word is a command about jobs. */
export function jobRequestOf(args: readonly string[]): JobRequest | undefined {
  const command = [...JOB_COMMANDS, ...WISHES].find((one) => one === args[0])
  if (command === undefined) return undefined
  const { values, positionals } = parse(args.slice(1))
  if (positionals.length > 0) throw new UsageError(`${command} takes no ${positionals.join(' ')}`)
  if (values.help) return undefined
  if (values.config === undefined) {
    throw new UsageError('--config is missing: the module that exports the engine and the store')
  }
  const change = changeOf(values)
  if (command === 'plan' && change === undefined) {
    throw new UsageError('plan needs a change: --add, --remove, --weight or --move')
  }
  if (change !== undefined && command !== 'plan' && command !== 'reshard') {
    throw new UsageError(`${command} takes no change of the map`)
  }
  return {
    command,
    config: values.config,
    json: values.json,
    id: values.job,
    change,
    by: values.by === undefined ? undefined : oneOf('--by', values.by, ['rows', 'bytes'] as const),
    factor: numberOf('--factor', values.factor, 1),
    isDryRun: values['dry-run'],
    until: oneOf('--until', values.until, RESHARD_STATES),
    options: optionsOf(values),
  }
}

type Values = ReturnType<typeof parse>['values']

function optionsOf(values: Values): JobRequest['options'] {
  const reversibleS = numberOf('--reversible', values.reversible, 0)
  return {
    capture:
      values.capture === undefined
        ? undefined
        : oneOf<CaptureKind>('--capture', values.capture, ['trigger', 'logical']),
    throttle: {
      rowsPerS: numberOf('--rows-per-second', values['rows-per-second'], 1),
      maxReplicaLagMs: numberOf('--max-lag', values['max-lag'], 0),
      maxSourceP99Ms: numberOf('--max-latency', values['max-latency'], 0),
    },
    cutover: {
      auto: values.auto,
      batchSlots: numberOf('--batch', values.batch, 1),
      maxFreezeMs: numberOf('--max-freeze', values['max-freeze'], 1),
      verify: values.verify ? 'full' : 'checksum',
    },
    reversibleMs: reversibleS === undefined ? undefined : reversibleS * 1_000,
  }
}

function changeOf({ add = [], remove = [], weight = [], move = [] }: Values) {
  if (add.length + remove.length + weight.length + move.length === 0) return undefined
  const weights = weight.map((text) => {
    const [shard, value] = pairOf('--weight', text, 'SHARD=NUMBER')
    return [shard, numberOf('--weight', value, 0)!] as const
  })
  const moves = move.map((text) => {
    const [slot, to] = pairOf('--move', text, 'SLOT=SHARD')
    return { slot: numberOf('--move', slot, 0)!, to }
  })
  const change: ReshardChange = {
    ...(add.length > 0 ? { add } : {}),
    ...(remove.length > 0 ? { remove } : {}),
    ...(weights.length > 0 ? { weights: Object.fromEntries(weights) } : {}),
    ...(moves.length > 0 ? { moves } : {}),
  }
  return change
}

function parse(args: readonly string[]) {
  const list = { type: 'string', multiple: true } as const
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { ...flag, short: 'h' },
        json: flag,
        config: { ...text, short: 'c' },
        job: text,
        add: list,
        remove: list,
        weight: list,
        move: list,
        by: text,
        factor: text,
        'dry-run': flag,
        until: { ...text, default: 'done' },
        capture: text,
        auto: flag,
        verify: flag,
        batch: text,
        'max-freeze': text,
        'rows-per-second': text,
        'max-lag': text,
        'max-latency': text,
        reversible: text,
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function pairOf(name: string, text: string, form: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)]
  throw new UsageError(`${name} must be ${form}, got ${JSON.stringify(text)}`)
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text)
  if (found !== undefined) return found
  throw new UsageError(`${name} must be one of ${allowed.join(', ')}, got ${JSON.stringify(text)}`)
}

function numberOf(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number) && number >= least) return number
  throw new UsageError(`${name} must be a number of at least ${least}, got ${JSON.stringify(text)}`)
}
