// What it costs to import a package the first time: each in a process of its own, compiled as it is
// published, beside an empty module (whose time is subtracted) and lru-cache, one after the other
// in every round. Run `run build` first.

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Bench } from './harness.ts'
import type { Subject } from './main.ts'

const ROUNDS = 15
const PEER = 'lru-cache'
const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const packages = readdirSync(join(here, '../../../packages'))

const program = (name: string): string => `
const start = performance.now()
await import(${JSON.stringify(name)})
console.log(performance.now() - start)`

async function importMs(name: string): Promise<number> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program(name)], {
    cwd: here,
  })
  return Number(stdout)
}

export const peers: Subject['peers'] = [PEER]

export const measure: Subject['measure'] = async (bench: Bench): Promise<void> => {
  for (const name of packages) {
    const id = `import-${name}`
    if (!bench.wants(id)) continue
    const ours: number[] = []
    const peer: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const emptyMs = await importMs('data:text/javascript,')
      ours.push((await importMs(`@ashlar/${name}`)) - emptyMs)
      peer.push((await importMs(PEER)) - emptyMs)
    }
    bench.count({
      id,
      title: `the first import of @ashlar/${name}, over that of an empty module`,
      unit: 'ms',
      lowerIsBetter: true,
      results: { '@ashlar/import': ours, [PEER]: peer },
      goal: { atMost: 15 },
    })
  }
}
