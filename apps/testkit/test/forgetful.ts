// A process that starts a server, says so, and never stops it: a test kills it.

import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresServer } from '../src/postgres-server.ts'

const { pid, port } = await postgresServer()
const folders = readdirSync(tmpdir())
  .filter((name) => name.startsWith('ashlar-postgres-'))
  .map((name) => join(tmpdir(), name))
  .filter((folder) => isOurs(folder))
console.log(JSON.stringify({ port, folders }))
setInterval(() => {}, 1000)

function isOurs(folder: string): boolean {
  try {
    return readFileSync(join(folder, 'pid'), 'utf8').trim() === String(pid)
  } catch {
    return false
  }
}
