import { request } from 'node:http'

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

/** Asks one server, and says what a browser would say or would not. */
export class PageClient {
  readonly url: URL

  constructor(url: string) {
    this.url = new URL(url)
  }

  /** The headers of a change that comes from the page itself. */
  get own(): Record<string, string> {
    return { origin: this.url.origin, 'content-type': 'application/json' }
  }

  ask(
    method: string,
    path: string,
    { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const { hostname: host, port } = this.url
    return new Promise((resolve, reject) => {
      const outgoing = request({ host, port, method, path, headers })
      outgoing.on('error', reject).on('response', async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        const { statusCode: status = 0 } = response
        resolve({ status, headers: response.headers, body: Buffer.concat(chunks) })
      })
      outgoing.end(body)
    })
  }
}
