// A router that lives to be killed: it does one thing on the shard at a URL and says so.

import { PostgresEngine, PostgresMapStore } from '../src/postgres/index.ts'
import type { ShardMapJson } from '../src/shard-map-json.ts'

const [what, url, count] = process.argv.slice(2) as [string, string, string | undefined]

if (what === 'race') await race(Number(count))
else await hold()

/** Puts one epoch after another in force, and says those that it won. */
async function race(epochs: number): Promise<void> {
  const store = new PostgresMapStore(url, { schema: 'raced' })
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const isWon = await store.compareAndSet(epoch === 1 ? undefined : epoch - 1, {
      epoch,
    } as ShardMapJson)
    if (isWon) say(epoch)
    while (((await store.load())?.epoch ?? 0) < epoch);
  }
  await store.close()
}

/** Leaves transactions prepared or open, and waits. */
async function hold(): Promise<void> {
  const engine = new PostgresEngine({ shards: { s1: url } })
  for (const name of what === 'prepare' ? ['t1', "it's @2"] : ['left open']) {
    const open = await engine.open('s1', { slots: [1], epoch: 1 })
    const id = what === 'prepare' ? `prepared ${name}` : name
    await open.tx(1).put('users', { id })
    if (what === 'prepare') await open.prepare(name)
  }
  say(what)
  setInterval(() => {}, 1000)
}

function say(something: unknown): void {
  process.stdout.write(`${JSON.stringify(something)}\n`)
}
