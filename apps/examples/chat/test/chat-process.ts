// A node of the chat as a user starts it: a process of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('..', import.meta.url))
/** In the repository the packages are run from source; installed ones have no such condition. */
const FLAGS = ['--conditions=source', 'src/main.ts']

export class ChatProcess {
  url = ''
  said = ''
  #child: ChildProcess | undefined
  readonly #env: Readonly<Record<string, string>>

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env
  }

  /** Resolves when the node says where it is. */
  async start(): Promise<void> {
    const env = { ...process.env, PORT: '0', ...this.#env }
    const child = spawn(process.execPath, FLAGS, { cwd: folder, env })
    this.#child = child
    this.said = ''
    const ready = Promise.withResolvers<string>()
    child.stderr.on('data', (text) => {
      this.said += text
    })
    child.stdout.on('data', (text) => {
      const url = /is at (http:\S+)/u.exec(String(text))?.[1]
      if (url !== undefined) ready.resolve(url)
    })
    child.once('exit', (code) => ready.reject(new Error(`ended with ${code}: ${this.said}`)))
    this.url = await ready.promise
  }

  /** Ends the process; resolves to its exit code, null if a signal ended it. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const ended = once(child, 'exit')
    child.kill(signal)
    return (await ended)[0]
  }

  async status(): Promise<{ away: string[]; known: Record<string, number> }> {
    return (await fetch(new URL('status', this.url))).json() as ReturnType<ChatProcess['status']>
  }
}

/** A free UDP port of loopback. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
