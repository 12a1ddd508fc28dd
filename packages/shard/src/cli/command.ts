// What the command does, apart from the process it runs in: arguments in, text and an exit code
// out. 0 all is well, 1 something is not as it should be, 2 it could not be done.

import { ShardError, ShardRouter } from '../index.ts'
import {
  type Answer,
  capacityAnswer,
  hotAnswer,
  initAnswer,
  routeAnswer,
  statusAnswer,
  verifyAnswer,
} from './answers.ts'
import { type Request, requestOf, USAGE, UsageError } from './arguments.ts'
import { type CommandConfig, configOf } from './config.ts'
import { type JobRequest, jobRequestOf } from './job-arguments.ts'
import { jobAnswer } from './job-command.ts'

/** The process around the command. */
export interface Host {
  /** The default export of a module. */
  readonly load: (file: string) => Promise<unknown>
  readonly sleep: (ms: number) => Promise<unknown>
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  /** The width of the terminal, if it is one. */
  readonly columns?: number | undefined
  /** Aborts when the user asks to stop. */
  readonly interrupted?: AbortSignal | undefined
}

/**
 * Does what the arguments ask for in the process of a host; resolves to the exit code.
 *
 * @example
 * const map = ShardMap.create({ shards: ['oak'] })
 * const engine = new MemoryEngine({ shards: ['oak'] })
 * const fleet = { engine, store: new MemoryMapStore(), map }
 * const host = { load: async () => fleet, sleep, print: console.log, complain: console.error }
 * await runCommand(['init', '--config', 'fleet.mjs'], host) // → 0
 */
export async function runCommand(args: readonly string[], host: Host): Promise<number> {
  try {
    const request = jobRequestOf(args) ?? requestOf(args)
    if (request === undefined) {
      host.print(USAGE)
      return 0
    }
    const { ok, value, text } = await onFleet(request, host)
    // Where progress went before it, a line is one value.
    const indent = 'until' in request ? undefined : 2
    host.print(request.json ? `${JSON.stringify(value, jsonValue, indent)}\n` : text)
    return ok ? 0 : 1
  } catch (error) {
    if (!isExpected(error)) throw error
    host.complain(`ashlar-shard: ${error.message}\n`)
    return 2
  }
}

async function onFleet(request: Request | JobRequest, host: Host): Promise<Answer> {
  const config = configOf(request.config, await host.load(request.config))
  try {
    if ('until' in request) return await jobAnswer(request, config, host)
    const router = await openRouter(request, config)
    try {
      return await answer(router, request, config, host)
    } finally {
      await router.close()
    }
  } finally {
    // The engine first: it may still need to tell the store how its transactions ended.
    await config.engine.close()
    await config.store.close()
  }
}

/** Only `init` may put a map in force; the others must also work while a shard is down. */
function openRouter({ command }: Request, config: CommandConfig): Promise<ShardRouter> {
  const { engine, store, map, ddl, limits } = config
  const options = { engine, store, limits, sweepMs: 0 }
  if (command !== 'init') return ShardRouter.open({ ...options, unreachable: 'allow' })
  if (map !== undefined) return ShardRouter.open({ ...options, map, ddl })
  throw new UsageError('init needs a map in the default export of the module')
}

async function answer(
  router: ShardRouter,
  request: Request,
  { map }: CommandConfig,
  { sleep }: Host,
): Promise<Answer> {
  switch (request.command) {
    case 'init':
      return initAnswer(router, map)
    case 'status':
      return statusAnswer(await router.status())
    case 'route':
      return routeAnswer(router, request)
    case 'hot':
      return hotAnswer(router, request)
    case 'capacity': {
      const first = await router.capacity()
      if (request.waitMs === 0) return capacityAnswer(first)
      await sleep(request.waitMs)
      return capacityAnswer(await router.capacity())
    }
    case 'verify': {
      const { table } = request
      return verifyAnswer(await router.verify(table === undefined ? {} : { tables: [table] }))
    }
  }
}

/** What JSON cannot say: bigints as numbers or digits, bytes as hex digits. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  }
  if (!(value instanceof Uint8Array)) return value
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function isExpected(error: unknown): error is Error {
  if (error instanceof ShardError || error instanceof UsageError) return true
  // A module that is not there, or cannot be read.
  return (
    error instanceof Error &&
    'code' in error &&
    /^E(?:RR_MODULE|NOENT|ACCES)/u.test(String(error.code))
  )
}
