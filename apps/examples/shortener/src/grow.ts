// What `npm run grow` runs: asks a server that is running to add a shard, and shows how it goes.
// Exit code 0 once the shard has its share and all is cleared up.

import { setTimeout } from 'node:timers/promises'
import type { FleetStatus } from './growth.ts'

const server = process.env.SERVER_URL || `http://127.0.0.1:${process.env.PORT || 8080}`
const authorization = `Bearer ${process.env.ADMIN_TOKEN ?? ''}`

try {
  process.exitCode = await grow()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function grow(): Promise<number> {
  let last = ''
  for (let { job, shards } = await ask('POST'); ; { job, shards } = await ask('GET')) {
    if (job === undefined || job.state === 'aborted' || job.paused !== undefined) {
      console.error(`the job has stopped: ${JSON.stringify(job?.paused ?? job?.state)}`)
      return 1
    }
    const { copied, flipped, total } = job.slots
    const line = `${job.state}: of ${total} slots ${copied} are copied, ${flipped} have moved`
    if (line !== last) console.log(line)
    last = line
    if (job.state === 'done') {
      console.log(`${shards.join(', ')}; frozen for at most ${Math.ceil(job.freezeMs.max)} ms`)
      return 0
    }
    await setTimeout(200)
  }
}

async function ask(method: 'GET' | 'POST'): Promise<FleetStatus> {
  const response = await fetch(`${server}/shards`, { method, headers: { authorization } })
  if (response.ok) return (await response.json()) as FleetStatus
  throw new Error(`${method} ${server}/shards: ${response.status} ${await response.text()}`)
}
