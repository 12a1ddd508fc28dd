// The server as a user has it: a process that is started, called over HTTP, and stopped or killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** What a test gives to the servers that it starts, to grow them. */
export const ADMIN_TOKEN = 'the token of this test'

/** In memory where that can be: a killed process loses nothing there, and syncs are free. */
const TEMPORARY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const APP = join(import.meta.dirname, '..')

/** A folder for the SQLite files of one test. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(TEMPORARY, 'shortener-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A program of the application; it runs from source where there is source. */
export function runProgram(file: string, env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=source', join(APP, 'src', file)], {
    env: { PATH: process.env.PATH, ADMIN_TOKEN, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

/** A server of a test; gone at the end of it, at the latest. */
export class RunningServer {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  /** Starts one on a free port; resolves once it listens. */
  static async start(env: Readonly<Record<string, string>>): Promise<RunningServer> {
    const child = runProgram('main.ts', { PORT: '0', ...env })
    let printed = ''
    for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
      printed += chunk
      const url = /listening on (\S+)\n/u.exec(printed)?.[1]
      if (url === undefined) continue
      child.stdout!.resume()
      return new RunningServer(url, child)
    }
    throw new Error(`the server did not start: ${printed}`)
  }

  /** Asks it to stop, and resolves to its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.#end()
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#end()
  }

  /** Sends a request; redirects are not followed. */
  call(method: string, path: string, body?: unknown, headers = {}): Promise<Response> {
    return fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }

  /** Makes a link, and gives its id. */
  async create(url: string, request?: string): Promise<string> {
    const headers = request === undefined ? {} : { 'idempotency-key': request }
    const response = await this.call('POST', '/links', { url }, headers)
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
    return String((await bodyOf(response)).id)
  }

  async #end(): Promise<number | null> {
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }
}

/** The JSON object of an answer. */
export async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}

/** The code of an answer that is an error. */
export async function codeOf(response: Response): Promise<unknown> {
  const { error } = await bodyOf(response)
  return (error as { readonly code?: unknown }).code
}
