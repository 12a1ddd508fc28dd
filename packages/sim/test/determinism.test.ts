import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Scenario, simulate } from '../src/index.ts'
import { HASH_OF_1, HASH_OF_20, hashOf, hashOfSeeds, referenceWorld } from './reference-world.ts'

describe('a seed', () => {
  test.each([
    [1, HASH_OF_1],
    [20, HASH_OF_20],
  ])('stands for the run that it stood for when it was written down, %i of 20', async (n, hash) => {
    expect(await hashOfSeeds(n, 'auto')).toBe(hash)
  })

  test('stands for the same run with every drain, 1,000 times over', async () => {
    const ticked = await hashOfSeeds(1000, 'tick')
    expect(await hashOfSeeds(1000, 'immediate')).toBe(ticked)
    expect(await hashOfSeeds(100, 'auto')).toBe(await hashOfSeeds(100, 'immediate'))
  })

  test('stands for the same run when other runs are asked for at the same time', async () => {
    const alone = await hashOf(5, 'immediate')
    const together = await Promise.all([1, 5, 9, 5].map((seed) => hashOf(seed, 'immediate')))
    expect([together[1], together[3]]).toEqual([alone, alone])
  })

  test('stands for the same run on the older Node, from the compiled package', () => {
    const host = [process.env.ASHLAR_HOST_NODE, '/usr/bin/node'].find((path) => {
      return path !== undefined && existsSync(path)
    })
    const place = mkdtempSync(join(tmpdir(), 'ashlar-sim-'))
    try {
      compile(place)
      const world = JSON.stringify(pathToFileURL(join(place, 'test/reference-world.js')).href)
      const script =
        `import { hashOfSeeds } from ${world}\n` +
        "console.log(await hashOfSeeds(20, 'auto'), await hashOfSeeds(20, 'immediate'))\n"
      writeFileSync(join(place, 'print.mjs'), script)
      const { stdout, stderr } = spawnSync(host ?? process.execPath, [join(place, 'print.mjs')], {
        encoding: 'utf8',
      })
      expect({ stdout, stderr }).toEqual({ stdout: `${HASH_OF_20} ${HASH_OF_20}\n`, stderr: '' })
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  })
})

describe('a fault that changes nothing', () => {
  test('can be taken out of a plan, and all else stays as it was', async () => {
    const crash = { kind: 'crash', node: 'b', atMs: 100, downMs: 50, unsyncedLoss: 1 } as const
    const loss = { kind: 'loss', atMs: 50, forMs: 200, rate: 0.2 } as const
    const idle = [
      { kind: 'loss', atMs: 0, forMs: 300, rate: 0 },
      { kind: 'partition', atMs: 10, forMs: 100, nodes: ['a', 'b', '__proto__', 'c1', 'c2'] },
      { kind: 'diskRead', atMs: 150, forMs: 100, rate: 0, node: 'a' },
      { kind: 'stepBack', atMs: 20, byMs: 0, node: 'a' },
    ] as const
    for (let seed = 0; seed < 30; seed++) {
      const options = { seed, horizonMs: 400, buggify: 0 }
      const plain = await simulate({ ...options, faults: [loss, crash] }, referenceWorld)
      const padded = { ...options, faults: [idle[0], loss, ...idle.slice(1), crash] }
      const more = await simulate(padded, referenceWorld)
      expect(more.history).toEqual(plain.history)
      expect(more.injected).toMatchObject({ loss: plain.injected.loss, crash: 1 })
      expect(more.hash).not.toBe(plain.hash)
    }
  })

  test('moves nothing on links and nodes that it does not touch', async () => {
    const worlds = [[], [{ kind: 'loss', atMs: 0, forMs: 90, rate: 1, from: 'x' } as const]]
    const seen: unknown[][] = []
    for (const faults of worlds) {
      const here: unknown[] = []
      await simulate({ seed: 4, horizonMs: 100, faults }, (s: Scenario) => {
        for (const [from, to] of [
          ['x', 'y'],
          ['p', 'q'],
        ] as const) {
          s.node(to, (env) => {
            env.onMessage((message) => {
              if (to === 'q') here.push([message, s.elapsedMs(), env.random()])
            })
          })
          s.client(from, async (env) => {
            for (let i = 0; i < 20; i++) {
              env.send(to, i)
              await env.sleep(env.random() * 5)
            }
          })
        }
      })
      seen.push(here)
    }
    expect(seen[0]).toHaveLength(20)
    expect(seen[1]).toEqual(seen[0])
  })
})

/** The package and the reference world as JavaScript, as they are published. */
function compile(outDir: string): void {
  const root = join(import.meta.dirname, '..')
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const flags =
    '--ignoreConfig --target es2023 --module nodenext --lib es2023,dom,esnext.disposable ' +
    '--rewriteRelativeImportExtensions --skipLibCheck --strict --types node'
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }\n')
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      join(dirname(manifest), 'bin/tsc'),
      ...flags.split(' '),
      ...['--rootDir', root, '--outDir', outDir, join(root, 'test/reference-world.ts')],
    ],
    { cwd: root, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stdout)
}
