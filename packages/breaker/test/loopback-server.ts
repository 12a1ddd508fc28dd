// A real HTTP server on loopback that answers as its test says.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class LoopbackServer implements AsyncDisposable {
  readonly #server: Server
  /** How many requests have reached it. */
  requests = 0
  /** How it answers. */
  answer: (response: ServerResponse) => void = (response) => response.end('ok')

  private constructor() {
    this.#server = createServer((_, response) => {
      this.requests++
      this.answer(response)
    })
  }

  static async start(): Promise<LoopbackServer> {
    const server = new LoopbackServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on it answers with this status and these headers. */
  answersWith(status: number, headers: Record<string, string> = {}): void {
    this.answer = (response) => response.writeHead(status, headers).end('body')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
