// Folders that later test runs find again, because making them takes a while: links and copies of
// PostgreSQL's programs, and a freshly initialised cluster. They lie in the system's temporary
// folder, where also the unprivileged user that servers run as can reach them.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The folder of the name `key`, filled by `make` now or in an earlier process. It is made aside
 * and renamed when done, so that processes which start together do not meet half-way.
 *
 * @throws Error if the place for these folders belongs to somebody else, or `make` fails.
 */
export function keptFolder(key: string, make: (folder: string) => void): string {
  const mine = process.getuid?.() ?? 0
  const cache = join(tmpdir(), `ashlar-testkit-${mine}`)
  mkdirSync(cache, { recursive: true, mode: 0o711 })
  if (process.getuid !== undefined && statSync(cache).uid !== mine) {
    throw new Error(`${cache} belongs to another user: remove it, or set TMPDIR`)
  }
  const folder = join(cache, createHash('sha256').update(key).digest('hex').slice(0, 16))
  if (existsSync(folder)) return folder
  const draft = mkdtempSync(`${folder}-`)
  try {
    make(draft)
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}
