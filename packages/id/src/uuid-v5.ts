// UUID version 5: the first 128 bits of SHA-1 over a namespace and a name (RFC 9562, section 5.5).
// The same name in the same namespace is the same UUID everywhere. SHA-1 comes from @noble/hashes,
// since the platform's is asynchronous.

import { sha1 } from '@noble/hashes/legacy.js'
import { bytesOfUuid } from './uuid.ts'
import { uuidText } from './uuid-text.ts'

/** The namespaces of RFC 9562, section 6.6. */
export const namespaces: {
  readonly dns: string
  readonly url: string
  readonly oid: string
  readonly x500: string
} = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
}

/**
 * The UUID of a name.
 *
 * @param name text, hashed as UTF-8 with lone surrogates as U+FFFD, or bytes
 * @param namespace a UUID as text or 16 bytes, of {@link namespaces} or your own
 * @throws IdError INVALID_ID if the namespace is no UUID.
 *
 * @example
 * v5('www.example.com', namespaces.dns) // '2ed6657d-e927-568b-95e1-2665a8aea6a2'
 */
export function v5(name: string | Uint8Array, namespace: string | Uint8Array): string {
  const space = bytesOfUuid(namespace)
  const text = typeof name === 'string' ? new TextEncoder().encode(name) : name
  const message = new Uint8Array(16 + text.length)
  message.set(space.subarray(0, 16))
  message.set(text, 16)
  const digest = sha1(message)
  digest[6] = (digest[6]! & 0x0f) | 0x50
  digest[8] = (digest[8]! & 0x3f) | 0x80
  return uuidText(digest, 0)
}
