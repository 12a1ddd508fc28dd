// A counter on one disk, as toys of the tests: one that syncs before it acknowledges, and its
// broken twin, which acknowledges first and so loses acknowledged additions in a power loss.

import type { Scenario } from '../src/index.ts'

interface Message {
  readonly id: number
  readonly f: 'add' | 'get'
  readonly value: number
}

/** The world of a counter; `isBroken` makes it acknowledge before it syncs. */
export function registerWorld(isBroken: boolean): (s: Scenario) => void {
  return (s) => {
    s.node('store', async ({ disk, onMessage, send }) => {
      // What a killed process left in the cache of the machine must not be shown before it is safe.
      await disk.sync('log')
      let written = (await disk.read('log')).length
      let safe = written
      onMessage<Message>(async ({ id, f }, from) => {
        if (f === 'get') return send(from, { id, value: safe })
        await disk.append('log', '+')
        const mine = ++written
        if (isBroken) {
          safe = mine
          send(from, { id, value: mine })
        }
        await disk.sync('log')
        safe = Math.max(safe, mine)
        if (!isBroken) send(from, { id, value: mine })
      })
    })
    s.client('c', async ({ onMessage, send, sleep }) => {
      let known = 0
      const floors = new Map<number, number>()
      onMessage<Message>(({ id, value }) => {
        const floor = floors.get(id)!
        if (value < floor) throw new Error(`knew of ${floor}, then read ${value}`)
        known = Math.max(known, value)
      })
      for (let id = 0; id < 30; id++) {
        floors.set(id, known)
        send('store', { id, f: id % 3 === 2 ? 'get' : 'add' })
        await sleep(20)
      }
    })
  }
}
