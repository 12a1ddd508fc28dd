// The arguments of the command, read strictly: what is not understood is refused, with a line that
// says what would be.

import { parseArgs } from 'node:util'
import { checkers } from './checkers.ts'

/** What the command is asked to do. */
export type Request =
  | { readonly command: 'help' }
  | { readonly command: 'draw'; readonly file: string }
  | CheckRequest

/** `check FILE --model NAME` and its options. */
export interface CheckRequest {
  readonly command: 'check'
  readonly file: string
  readonly model: string
  readonly json: boolean
  readonly boundMs: number | undefined
  readonly initial: unknown
  readonly maxSteps: number | undefined
}

/** Arguments that ask for nothing the command can do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  constructor(message: string) {
    super(`${message}; see ashlar-history --help`)
  }
}

/** Reads the arguments after the name of the command. */
export function requestOf(args: readonly string[]): Request {
  const { values, positionals } = parse(args)
  const [command, file, ...more] = positionals
  if (values.help || command === 'help') return { command: 'help' }
  if (command !== 'check' && command !== 'draw') {
    throw new UsageError(`the command must be check or draw, got ${command ?? 'none'}`)
  }
  if (file === undefined || more.length > 0) {
    throw new UsageError(`${command} takes one file, or - for standard input`)
  }
  if (command === 'draw') return { command, file }
  const { model = 'none' } = values
  const known = checkers()
  if (!known.has(model)) {
    throw new UsageError(`--model must be one of ${[...known.keys()].join(', ')}, got ${model}`)
  }
  const boundMs = numberOf('--bound-ms', values['bound-ms'])
  if (model === 'staleness' && boundMs === undefined) {
    throw new UsageError('--model staleness needs --bound-ms, a number of milliseconds')
  }
  const initial = initialOf(values.initial)
  const maxSteps = numberOf('--max-steps', values['max-steps'])
  return { command, file, model, json: values.json, boundMs, initial, maxSteps }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false, short: 'h' },
        json: { type: 'boolean', default: false },
        model: { type: 'string' },
        'bound-ms': { type: 'string' },
        initial: { type: 'string' },
        'max-steps': { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw new UsageError(`${name} must be a number, got ${JSON.stringify(text)}`)
}

function initialOf(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`--initial must be JSON (a text in quotes), got ${text}`)
  }
}
