import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/**
 * Starts the atlas with this folder for what is temporary, sends it a signal once it has printed
 * this, and waits for its end.
 */
export async function endAt(
  folder: string,
  pattern: RegExp,
  signal: NodeJS.Signals,
  ...args: string[]
): Promise<{ code: unknown; stderr: string; made: string[] }> {
  const child = spawn(process.execPath, ['--conditions=source', main, '--once', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    stdout += chunk
    if (!pattern.test(stdout)) continue
    // Twice, as from a terminal and from npm.
    child.kill(signal)
    child.kill(signal)
    break
  }
  const made = readdirSync(folder)
  child.stdout.resume()
  const [code] = await once(child, 'exit')
  return { code, stderr, made }
}
