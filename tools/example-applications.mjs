// The example applications as a stranger would have them: a copy of each, its dependencies by
// version from a registry, its tests run there by Node as it is.

import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What servers of the house are needed for stays in the house. */
const LEFT_OUT = /(?:^node_modules|\.(?:postgres|redis)\.test\.ts)$/u
/** Not published. */
const NOT_PUBLISHED = '@ashlar/testkit'

/** The names of the applications. */
export function applicationsOf(root) {
  const folder = join(root, 'apps', 'examples')
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'package.json')))
}

/** Copies an application; `versions` are those of the packages by name without scope. */
export function copyApplication(root, name, folder, versions) {
  const filter = (path) => !LEFT_OUT.test(basename(path))
  cpSync(join(root, 'apps', 'examples', name), folder, { recursive: true, filter })
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  const vitest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.vitest
  manifest.devDependencies = { ...manifest.devDependencies, vitest }
  delete manifest.devDependencies[NOT_PUBLISHED]
  for (const list of [manifest.dependencies, manifest.devDependencies]) {
    for (const dependency of Object.keys(list)) {
      const version = versions.get(dependency.replace('@ashlar/', ''))
      if (list[dependency].startsWith('workspace:')) list[dependency] = version
    }
  }
  writeFileSync(file, JSON.stringify(manifest, null, 2))
}
