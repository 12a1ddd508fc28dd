// Datagrams to and from the other nodes: one JSON text each over UDP. What does not come from the
// address of a peer is dropped.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Datagram } from './message.ts'
import type { Address } from './settings.ts'

export class UdpPort {
  readonly #socket: Socket = createSocket('udp4')
  readonly #peers: ReadonlyMap<string, Address>

  constructor(peers: ReadonlyMap<string, Address>) {
    this.#peers = peers
  }

  /** Opens the port of one of the nodes. */
  async listen(name: string): Promise<void> {
    const { host, port } = this.#peers.get(name)!
    this.#socket.bind(port, host)
    await once(this.#socket, 'listening')
  }

  /** Hands what comes to `receive`, with the name of the node that sent it. */
  onDatagram(receive: (from: string, datagram: Datagram) => void): void {
    this.#socket.on('message', (bytes, { address, port }) => {
      for (const [from, peer] of this.#peers) {
        if (peer.port === port && peer.host === address) receive(from, JSON.parse(String(bytes)))
      }
    })
  }

  /** Sends; whether it arrives nobody tells. */
  send(to: string, datagram: Datagram): void {
    const { host, port } = this.#peers.get(to)!
    this.#socket.send(JSON.stringify(datagram), port, host, () => {})
  }
}
