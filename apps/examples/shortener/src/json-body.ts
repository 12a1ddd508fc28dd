// The body of a request as a JSON object: short, of the right type, and nothing else.

import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'

const MAX_BODY_BYTES = 8_192

/** @throws {HttpError} 413 if it is too long, 415 if of another type, 400 if it is no object. */
export async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (request.headers['content-type']?.split(';', 1)[0]?.trim() !== 'application/json') {
    throw new HttpError(415, 'INVALID_TYPE', 'the body is of the type application/json')
  }
  const body = parsed(await readText(request))
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>
  }
  throw new HttpError(400, 'INVALID_JSON', 'the body is a JSON object')
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // What is left unread must not end the connection before the answer is out.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) {
      throw new HttpError(413, 'TOO_LARGE', `the body has at most ${MAX_BODY_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HttpError(400, 'INVALID_JSON', 'the body is not JSON')
  }
}
