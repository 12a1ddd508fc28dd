// Ports for servers that must find the same port again after they were killed. They lie below the
// ranges from which systems take the ports of outgoing connections (Linux: 32768 and up, macOS:
// 49152 and up), so nobody gets one by chance while its server is down.

import { createServer } from 'node:net'

const LOWEST = 20_000
const HIGHEST = 32_000

/** A port on 127.0.0.1 on which nobody listens now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => resolve(true))
    })
  })
}
