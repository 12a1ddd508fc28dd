// A private npm registry on loopback: what is published to it never leaves this machine. It serves
// `@ashlar/*` from itself alone, everything else from the registry that npm is set to.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { verdaccioFromNpm } from './from-npm.mjs'

const STARTS_WITHIN_MS = 60_000

/**
 * Starts it with its storage in a folder.
 *
 * @returns {Promise<{ url: string, env: Record<string, string>, stop: () => Promise<void> }>} `env`
 *   is what npm, pnpm and Bun need to use it, as a user who may publish.
 */
export async function startRegistry(folder) {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const config = join(folder, 'config.json')
  writeFileSync(config, JSON.stringify(configuration(folder)))
  const userconfig = join(folder, 'npmrc')
  writeFileSync(userconfig, `registry=${url}\n//127.0.0.1:${port}/:_authToken=rehearsal\n`)
  const script = verdaccioFromNpm()
  const listen = ['--config', config, '--listen', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, [script, ...listen], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    child.kill()
    await ended
  }
  try {
    await answers(`${url}-/ping`, child)
  } catch (error) {
    await stop()
    throw new Error(`the registry did not start: ${error.message}\n${said}`)
  }
  return { url, env: { npm_config_registry: url, npm_config_userconfig: userconfig }, stop }
}

function configuration(folder) {
  const { stdout } = spawnSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  return {
    storage: join(folder, 'storage'),
    uplinks: { npm: { url: stdout.trim(), cache: true, timeout: '60s' } },
    packages: {
      '@ashlar/*': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'npm' },
    },
    max_body_size: '100mb',
    web: { enable: false },
    log: { type: 'stdout', format: 'pretty', level: 'error' },
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function answers(url, child) {
  for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    try {
      const { ok } = await fetch(url)
      if (ok) return
    } catch {
      // It does not listen yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`no answer within ${STARTS_WITHIN_MS} ms`)
}
