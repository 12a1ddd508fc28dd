// Serves the built site on loopback, as any static host would: a file, or 404.html.

import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.bin': 'application/octet-stream',
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

/** A server of one folder. */
export class StaticServer {
  readonly #server: Server

  constructor(folder: string) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://loopback')
      const path = normalize(decodeURIComponent(pathname))
      const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
      readFile(file)
        .then((body) => response.writeHead(200, typeOf(file)).end(body))
        .catch(async () => response.writeHead(404, typeOf('.html')).end(await absent(folder)))
    })
  }

  /** Listens on a free port; returns the address without a slash at its end. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it listens on no port')
    return `http://127.0.0.1:${address.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function absent(folder: string): Promise<Buffer> {
  return readFile(join(folder, '404.html'))
}

function typeOf(file: string): { 'content-type': string } {
  const type = TYPES[extname(file)] ?? 'text/plain'
  return { 'content-type': type.startsWith('text/') ? `${type}; charset=utf-8` : type }
}
