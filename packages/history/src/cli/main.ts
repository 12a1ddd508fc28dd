#!/usr/bin/env node
// The command `ashlar-history`: judges a file of JSON lines, prints what it found for a person or
// for a program. Exit codes: 0 all promises kept, 1 one is broken, 2 the input cannot be judged,
// 3 a search gave up.

import { readFileSync } from 'node:fs'
import { argv, stderr, stdout } from 'node:process'
import { drawTimeline, HistoryError, parseHistory } from '../index.ts'
import { type Request, requestOf, UsageError } from './arguments.ts'
import { CHECKERS, USAGE } from './checkers.ts'
import { reportOf } from './report.ts'

process.exitCode = main(argv.slice(2))

function main(args: readonly string[]): number {
  try {
    return run(requestOf(args))
  } catch (error) {
    const isExpected = error instanceof HistoryError || error instanceof UsageError
    if (!isExpected && !isFileError(error)) throw error
    stderr.write(`ashlar-history: ${(error as Error).message}\n`)
    return 2
  }
}

function run(request: Request): number {
  if (request.command === 'help') {
    stdout.write(USAGE)
    return 0
  }
  // Descriptor 0 is standard input, also where it is a pipe.
  const history = parseHistory(readFileSync(request.file === '-' ? 0 : request.file, 'utf8'))
  if (request.command === 'draw') {
    stdout.write(drawTimeline(history))
    return 0
  }
  const verdict = CHECKERS.get(request.model)!.check(history, request)
  stdout.write(request.json ? `${JSON.stringify(verdict)}\n` : reportOf(verdict, request.model))
  return verdict.ok === true ? 0 : verdict.ok === false ? 1 : 3
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error
}
