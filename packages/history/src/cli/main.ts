#!/usr/bin/env node
// The command `ashlar-history`: judges a file of JSON lines, prints what it found for a person or
// for a program. See command.ts for what it does; here it meets its process.

import { readFileSync } from 'node:fs'
import { argv, stderr, stdout } from 'node:process'
import { runCommand } from './command.ts'

process.exitCode = runCommand(argv.slice(2), {
  // Descriptor 0 is standard input, also where it is a pipe.
  read: (file) => readFileSync(file === '-' ? 0 : file, 'utf8'),
  print: (text) => stdout.write(text),
  complain: (text) => stderr.write(text),
})
