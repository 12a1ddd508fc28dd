// What the environment says. A wrong value is one line that says what is allowed.

import { isIPv4 } from 'node:net'
import type { Faults } from './lossy-send.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Settings {
  readonly name: string
  readonly port: number
  /** Where the bus of each node listens, this one's too. */
  readonly peers: ReadonlyMap<string, Address>
  readonly folder: string
  readonly faults: Faults
}

type Environment = Readonly<Record<string, string | undefined>>

/** @throws {RangeError} for a value that cannot be. */
export function readSettings(env: Environment): Settings {
  const name = env.NODE_ID ?? 'a'
  const peers = peersOf(env.PEERS ?? `${name}=127.0.0.1:7100`)
  if (!peers.has(name)) throw new RangeError(`PEERS must name NODE_ID too: ${name}=host:port`)
  return {
    name,
    port: number('PORT', env.PORT ?? '8080', 65_535),
    peers,
    folder: env.DATA_DIR ?? `data/${name}`,
    faults: {
      loss: number('BUS_LOSS', env.BUS_LOSS ?? '0', 1),
      duplication: number('BUS_DUPLICATION', env.BUS_DUPLICATION ?? '0', 1),
      reordering: number('BUS_REORDERING', env.BUS_REORDERING ?? '0', 1),
    },
  }
}

function peersOf(text: string): Map<string, Address> {
  const peers = new Map<string, Address>()
  for (const item of text.split(',')) {
    const [, name, host = '', port = ''] = /^([^=]+)=([\d.]+):(\d+)$/u.exec(item) ?? []
    if (name === undefined || !isIPv4(host) || peers.has(name)) {
      throw new RangeError(`PEERS must be a=1.2.3.4:7100,b=…, each name once; got ${item}`)
    }
    peers.set(name, { host, port: number(`the port of ${name}`, port, 65_535) })
  }
  return peers
}

function number(name: string, text: string, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= most) return value
  throw new RangeError(`${name} must be a number from 0 to ${most}, got ${text}`)
}
