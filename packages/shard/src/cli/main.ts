#!/usr/bin/env node
// The command `ashlar-shard`: looks after a fleet of shards. See command.ts for what it does; here
// it meets its process.

import { resolve } from 'node:path'
import process, { argv, stderr, stdout } from 'node:process'
import { pathToFileURL } from 'node:url'
import { platformTimers, sleep } from '../timers.ts'
import { runCommand } from './command.ts'

process.exitCode = await runCommand(argv.slice(2), {
  load: async (file) => {
    const module: unknown = await import(pathToFileURL(resolve(file)).href)
    return (module as { readonly default?: unknown }).default
  },
  sleep: (ms) => sleep(platformTimers, ms),
  print: (text) => stdout.write(text),
  complain: (text) => stderr.write(text),
  columns: stdout.isTTY ? stdout.columns : undefined,
  // Only who works on a job stops with care: elsewhere Ctrl-C does what it always does.
  get interrupted() {
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
    return stop.signal
  },
})
