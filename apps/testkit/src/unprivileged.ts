// Servers run as nobody when the tests run as root: PostgreSQL refuses to run as root, and no
// server of a test needs to be.

import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const isRoot = process.getuid?.() === 0

/** The user and group that servers run as, for `spawn`; empty where that is the caller's own. */
export const identity: { readonly uid?: number; readonly gid?: number } = isRoot
  ? { uid: 65534, gid: 65534 }
  : {}

/** A new folder that a server can reach, and nobody else can read. */
export function serverFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ashlar-${name}-`))
  giveAway(folder)
  return folder
}

/** Makes a folder and all in it the server's own. */
export function giveAway(folder: string): void {
  if (isRoot) run('chown', ['-R', `${identity.uid}:${identity.gid}`, folder])
}

/** Runs a command to its end and returns what it printed; throws with what it said if it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number } = {},
): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    ...options,
    cwd: '/',
    encoding: 'utf8',
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
