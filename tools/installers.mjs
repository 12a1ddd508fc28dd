// The installers that people use, set to a registry, with caches of their own in a folder: what an
// earlier rehearsal left in a cache has the same name and version and is another package.

import { join } from 'node:path'
import { bunFromNpm, yarnFromNpm } from './from-npm.mjs'

/** @returns {{ name: string, command: string, args: string[], env: Record<string, string> }[]} */
export function installers(place, { url, env }) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const cache = (name) => join(place, `cache-${name}`)
  const unfrozen = { CI: '' }
  return [
    {
      name: 'npm',
      command: 'npm',
      args: ['install', ...quiet],
      env: { ...env, npm_config_cache: cache('npm') },
    },
    {
      name: 'pnpm',
      command: 'pnpm',
      args: [
        'install',
        '--ignore-workspace',
        '--no-frozen-lockfile',
        `--store-dir=${cache('pnpm')}`,
      ],
      env: { ...env, npm_config_cache: cache('npm') },
    },
    {
      name: 'yarn',
      command: process.execPath,
      args: [yarnFromNpm(), 'install'],
      env: {
        ...unfrozen,
        YARN_CACHE_FOLDER: cache('yarn'),
        YARN_ENABLE_GLOBAL_CACHE: 'false',
        YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
        YARN_ENABLE_TELEMETRY: '0',
        YARN_NODE_LINKER: 'node-modules',
        // By default it will not touch what is younger than a day.
        YARN_NPM_MINIMAL_AGE_GATE: '0',
        YARN_NPM_REGISTRY_SERVER: url,
        YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      },
    },
    {
      name: 'bun',
      command: bunFromNpm(),
      args: ['install'],
      env: { ...unfrozen, ...env, BUN_INSTALL_CACHE_DIR: cache('bun') },
    },
  ]
}
