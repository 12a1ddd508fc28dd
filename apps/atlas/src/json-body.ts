// The body of a request as a JSON object: short, of the right type, and nothing else.

import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'

const MAX_BODY_BYTES = 1_024

/**
 * Reads the body of a request.
 * @throws {Refusal} 413 if it is too long, 415 if it is of another type, 400 if it is no object.
 */
export async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = await readBody(request)
  if (request.headers['content-type']?.split(';', 1)[0] !== 'application/json') {
    throw new Refusal(415, 'a body is a JSON object, of the type application/json')
  }
  const body = parse(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'a body is a JSON object, as in {}')
  }
  return body as Record<string, unknown>
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `a body has at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'the body is not JSON')
  }
}
