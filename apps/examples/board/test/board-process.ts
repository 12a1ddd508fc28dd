// The board as a user starts it: a process on a free port, called over HTTP, ended by a signal.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** What somebody writes into the form of a page. */
export type Form = Readonly<Record<string, string>>

/** What `/health` says. */
export interface Health {
  readonly database: string
  readonly redis: string
  readonly queries: number
}

export class BoardProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #ended: Promise<readonly [number | null, NodeJS.Signals | null]>

  private constructor(child: ChildProcess, url: string, ended: Promise<[number | null, null]>) {
    this.#child = child
    this.url = url
    this.#ended = ended
  }

  /** Resolves once it listens. */
  static async start(env: NodeJS.ProcessEnv): Promise<BoardProcess> {
    // The condition means nothing to packages that were installed.
    const child = spawn(process.execPath, ['--conditions=source', MAIN], {
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk
    })
    const ended = once(child, 'exit') as Promise<[number | null, null]>
    const said = once(createInterface(child.stdout), 'line') as Promise<[string]>
    const [line] = await Promise.race([said, ended])
    const url = /http:\S+/u.exec(String(line))?.[0]
    if (url === undefined) throw new Error(`the board did not start (${line}):\n${log}`)
    return new BoardProcess(child, url, ended)
  }

  get(path: string): Promise<Response> {
    return fetch(this.url + path, { redirect: 'manual' })
  }

  async page(path: string): Promise<string> {
    const response = await this.get(path)
    return await response.text()
  }

  async health(): Promise<Health> {
    const response = await this.get('/health')
    return (await response.json()) as Health
  }

  /** Sends a form as a browser does. */
  send(path: string, form: Form): Promise<Response> {
    const body = new URLSearchParams(form)
    return fetch(this.url + path, { method: 'POST', body, redirect: 'manual' })
  }

  /** Sends JSON, or what says that it is. */
  call(path: string, body: unknown): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(`${this.url}/api${path}`, { method: 'POST', body: text })
  }

  /** Begins a thread over JSON. */
  async begin(title: string): Promise<string> {
    const response = await this.call('/threads', { title, text: `text of ${title}` })
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
    const { threadId } = (await response.json()) as { threadId: string }
    return threadId
  }

  /** Its exit code, and the signal that ended it. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<readonly [number | null, string | null]> {
    this.#child.kill(signal)
    return await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
  }
}

/** The fields of the form on a page, as a browser would send them back. */
export function formOf(page: string): Form {
  const inputs = page.matchAll(/<input[^>]* name="(\w+)"[^>]* value="([^"]*)"/gu)
  const fields = Array.from(inputs, ([, name, value]) => [name, unescaped(value!)])
  const text = /<textarea[^>]*>\n([^<]*)<\/textarea>/u.exec(page)?.[1] ?? ''
  return { ...Object.fromEntries(fields), text: unescaped(text) }
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/gu, (_, code) => String.fromCodePoint(Number(code)))
}
