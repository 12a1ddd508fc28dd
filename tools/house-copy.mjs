// A copy of the house in which versions may be made and packages published, so that nothing of that
// touches the working tree. node_modules of packages are copied as the relative links they are, and
// so lead within the copy; what they lead to at the top is the house's own.

import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'

const COPIED = [
  ...['.changeset', 'LICENSE', 'README.md', 'apps', 'package.json', 'packages'],
  ...['pnpm-lock.yaml', 'pnpm-workspace.yaml'],
]

/** Copies it into a folder that is not there yet. */
export function copyHouse(root, folder) {
  mkdirSync(folder, { recursive: true })
  for (const entry of COPIED) {
    cpSync(join(root, entry), join(folder, entry), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !['test', '.vitepress', 'api', 'results'].includes(basename(path)),
    })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
}
