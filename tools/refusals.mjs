// What a user reads where an Ashlar part cannot work: on a Node that lacks something, without a
// package that it stands on, or required by a Node that cannot require ES modules. Each must end in
// one line that says what to do.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFromNpm } from './from-npm.mjs'

const REFUSALS = [
  {
    what: 'SQLite on a Node without node:sqlite',
    args: [],
    code: `import { SqliteEngine } from '@ashlar/shard/sqlite'
const engine = new SqliteEngine({ shards: { oak: 'oak.db' } })
await engine.check('oak')`,
    says: /needs node:sqlite, so Node 22\.13 or later; this is v20/u,
  },
  {
    what: 'a ticket store in SQLite on a Node without node:sqlite',
    args: [],
    code: `import { SqliteTicketStore } from '@ashlar/id/sqlite'
new SqliteTicketStore({ database: 'tickets.db' })`,
    says: /needs node:sqlite, so Node 22\.13 or later; this is v20/u,
  },
  {
    what: 'PostgreSQL without the package pg',
    args: [],
    code: `import { PostgresEngine } from '@ashlar/shard/postgres'
const engine = new PostgresEngine({ shards: { oak: 'postgres://127.0.0.1:1/oak' } })
await engine.check('oak')`,
    says: /the package pg could not be loaded: install it \(npm install pg\)/u,
  },
  {
    what: 'a module whose peer is not installed',
    args: [],
    code: `import '@ashlar/sim/vitest'`,
    says: /Cannot find package 'vitest'/u,
  },
  {
    what: 'require() on a Node that cannot require ES modules',
    args: ['--no-experimental-require-module'],
    code: `import { createRequire } from 'node:module'
createRequire(import.meta.url)('@ashlar/ring')`,
    says: /[Ii]nstead .* dynamic import\(\)/u,
  },
]

/** Tries each on Node 20 in a project that has all packages; tells what was said. */
export function* refusals(project, run) {
  for (const [i, { what, args, code, says }] of REFUSALS.entries()) {
    const file = join(project, `refusal-${i}.mjs`)
    writeFileSync(file, code)
    const { status, stderr, stdout } = run(nodeFromNpm(20), [...args, file], project)
    const lines = stderr.split('\n').filter((line) => says.test(line))
    yield { what, isSaid: status !== 0 && lines.length > 0, said: `${stdout}${stderr}` }
  }
}
