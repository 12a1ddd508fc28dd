// The runtimes that packages promise to run on, and which programs each can run.

import { spawnSync } from 'node:child_process'
import { runsOn } from './examples.mjs'
import { bunFromNpm, denoFromNpm, nodeFromNpm } from './from-npm.mjs'

/**
 * @returns {{
 *   name: string, command: string, args: string[], runs: (program: object) => boolean
 * }[]}
 */
export function runtimes() {
  const nodes = [nodeFromNpm(20), nodeFromNpm(22), process.execPath].map((path) => {
    const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    const version = stdout.trim()
    const name = `Node ${version.split('.')[0]}`
    return { name, command: path, args: [], runs: ({ node }) => runsOn(version, node) }
  })
  // An example that asks for a Node asks for its SQLite: Deno has that, Bun has one of its own.
  return [
    ...nodes,
    { name: 'Bun', command: bunFromNpm(), args: ['run'], runs: ({ node }) => node === undefined },
    {
      name: 'Deno',
      command: denoFromNpm(),
      args: ['run', '--allow-all', '--quiet'],
      runs: () => true,
    },
  ]
}
