// One node of the chat: reads its settings, joins the bus, serves the page, stops on SIGTERM.

import { join } from 'node:path'
import { replicaId } from '@ashlar/clock'
import { ChatNode } from './chat-node.ts'
import { DiskFile } from './disk-file.ts'
import { lossySend } from './lossy-send.ts'
import { readSettings } from './settings.ts'
import { UdpPort } from './udp-port.ts'
import { WebServer } from './web-server.ts'

const AWAY_MS = 1_000

try {
  await start()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

async function start(): Promise<void> {
  const { name, port, peers, folder, faults } = readSettings(process.env)
  const udp = new UdpPort(peers)
  await udp.listen(name)
  const node = await ChatNode.open({
    name,
    members: [...peers.keys()],
    newSelf: replicaId(name, Date.now()),
    file: new DiskFile(join(folder, 'journal.jsonl')),
    send: lossySend((to, datagram) => udp.send(to, datagram), faults, Math.random),
    monotonic: () => performance.now(),
    awayMs: AWAY_MS,
    random: Math.random,
    timers: { setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) },
  })
  udp.onDatagram((from, datagram) => node.receive(from, datagram))
  const web = new WebServer(node)
  console.log(`chat ${name} is at ${await web.listen(port)}`)
  const stop = async () => {
    await web.close()
    node.close()
    // The goodbye goes out before the exit; what was posted is on disk or was not acknowledged.
    setTimeout(() => process.exit(0), 100)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}
