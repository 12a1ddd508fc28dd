// What the command does, apart from the process it runs in: arguments in, text and an exit code
// out. 0 all promises kept, 1 one is broken, 2 the input cannot be judged, 3 a search gave up.

import { drawTimeline, HistoryError, parseHistory } from '../index.ts'
import { type Request, requestOf, UsageError } from './arguments.ts'
import { checkers, usage } from './checkers.ts'
import { reportOf } from './report.ts'

/** The process around the command. */
export interface Host {
  /** The text of a file, or of standard input for `-`. */
  readonly read: (file: string) => string
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
}

/** Does what the arguments ask for; returns the exit code. */
export function runCommand(args: readonly string[], host: Host): number {
  try {
    return answer(requestOf(args), host)
  } catch (error) {
    const isExpected = error instanceof HistoryError || error instanceof UsageError
    if (!isExpected && !isFileError(error)) throw error
    host.complain(`ashlar-history: ${(error as Error).message}\n`)
    return 2
  }
}

function answer(request: Request, { read, print }: Host): number {
  if (request.command === 'help') {
    print(usage())
    return 0
  }
  const history = parseHistory(read(request.file))
  if (request.command === 'draw') {
    print(drawTimeline(history))
    return 0
  }
  const verdict = checkers().get(request.model)!.check(history, request)
  print(request.json ? `${JSON.stringify(verdict)}\n` : reportOf(verdict, request.model))
  return verdict.ok === true ? 0 : verdict.ok === false ? 1 : 3
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error
}
