import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { HashRing, type RingKey } from '@ashlar/ring'
import { describe, expect, test, vi } from 'vitest'
import { runAtlas } from '../src/atlas.ts'
import { survive } from '../src/chapters/survive.ts'
import type { Stone } from '../src/stone.ts'
import { RING_CHAPTERS } from '../src/story.ts'
import type { MakeRing } from '../src/world.ts'
import { surroundings } from './stage.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function start(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { FORCE_COLOR: _, ...env } = process.env
  return spawnSync(process.execPath, ['--conditions=source', main, ...args], {
    encoding: 'utf8',
    env,
  })
}

describe('npm start -- --once', () => {
  const { status, stdout, stderr } = start('--once')

  test('ends with 0, all promises kept, and nothing to complain about', () => {
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const [, kept, all] = /promises kept +(\d+) of (\d+)/u.exec(stdout)!
    expect(kept).toBe(all)
    expect(stdout).toContain(`All ${all} promises kept.\n`)
    expect(Number(all)).toBe(stdout.match(/^ {2}✓ /gmu)?.length)
  })

  test('prints plain lines of at most 80 columns where there is no terminal', () => {
    expect(Math.max(...stdout.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80)
    expect([...stdout].every((char) => char === '\n' || char >= ' ')).toBe(true)
  })

  test('credits the source of the cities', () => {
    expect(stdout).toContain('GeoNames (geonames.org), CC BY 4.0')
  })

  test('prints shares that sum to all cities', () => {
    const shares = stdout.matchAll(/^ {2}\w+ +(?:west|centre|east) +([\d,]+) /gmu)
    const counts = [...shares].map(([, count]) => Number(count!.replaceAll(',', '')))
    expect(counts).toHaveLength(12)
    expect(counts.reduce((a, b) => a + b)).toBe(135_233)
  })
})

describe('the command', () => {
  test('prints its options', () => {
    expect(start('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('--virtual-nodes N'),
      stderr: '',
    })
  })

  test('refuses an unknown option with 2 and one clear line', () => {
    const { status, stdout, stderr } = start('--twice')
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^Unknown option '--twice'.*\(see --help\)\n$/u)
  })
})

describe('the story', () => {
  test.each([
    ['the fewest nodes', ['--nodes', '6']],
    ['the most nodes', ['--nodes', '23', '--seed', '4294967295']],
    ['one virtual node each', ['--virtual-nodes', '1', '--seed', '3']],
  ])('keeps its promises with %s', async (_, argv) => {
    // Those about the nodes; the others are told alike, whatever the nodes are.
    const around = { ...surroundings(), parts: { chapters: [...RING_CHAPTERS, survive] } }
    expect(await runAtlas(['--once', ...argv], around)).toBe(0)
    expect(around.stderr.text).toBe('')
  })

  test('is told in colour and with a bar on a terminal', async () => {
    vi.stubEnv('NO_COLOR', undefined)
    vi.stubEnv('FORCE_COLOR', '1')
    const around = { ...surroundings(true), parts: { chapters: RING_CHAPTERS } }
    expect(await runAtlas(['--once'], around)).toBe(0)
    vi.unstubAllEnvs()
    expect(around.stdout.text).toContain('\u001b[')
    expect(around.stdout.text).toContain('█')
  })
})

/** Rings with a flaw each; the promise that it breaks must be named. */
class Forgetful extends HashRing<Stone> {
  override get(key: RingKey): Stone | undefined {
    return key === '524901' ? undefined : super.get(key)
  }
}

class Restless extends HashRing<Stone> {
  override get(key: RingKey): Stone | undefined {
    const owner = super.get(key)
    const isMoved = this.has('jade') && owner?.id !== 'jade' && this.keyHash(key) % 5_000 === 0
    return isMoved ? this.nodes().find(({ id }) => id !== 'jade' && id !== owner?.id) : owner
  }
}

class Lopsided extends HashRing<Stone> {
  override get(key: RingKey): Stone | undefined {
    return this.keyHash(key) % 20 === 0 ? this.node('marble') : super.get(key)
  }
}

class Narrow extends HashRing<Stone> {
  override getN(key: RingKey, n: number): Stone[] {
    return super.getN(key, n)
  }
}

class Disloyal extends HashRing<Stone> {
  override getN(key: RingKey, n: number, options = {}): Stone[] {
    const nodes = super.getN(key, n + 1, options)
    return n === 2 ? [nodes[0]!, nodes[2]!] : nodes.slice(0, n)
  }
}

class Doubtful extends HashRing<Stone> {
  override ownership(): Map<string, number> {
    return new Map([...super.ownership()].map(([id, part]) => [id, part * 0.97]))
  }
}

class Amnesic extends HashRing<Stone> {
  #asked = 0
  override fingerprint(): string {
    return `${super.fingerprint()}-${this.#asked++}`
  }
}

describe('a story on a broken ring', () => {
  test.each([
    ['forgets Moscow', Forgetful, ['every city is placed on exactly one node']],
    [
      'moves bystanders',
      Restless,
      [
        'jade joins: cities move only to or from jade',
        'jade joins: exactly the cities in the ranges of diffRings move',
      ],
    ],
    [
      'favours a node',
      Lopsided,
      [
        'shares follow ownership within 5 standard deviations',
        'a copy of the ring gives every city the same node',
      ],
    ],
    [
      'ignores zones',
      Narrow,
      [
        'so has every city: 3 replicas in 3 zones',
        'every celebrity has its owner first and a replica in each zone',
      ],
    ],
    [
      'promotes the third',
      Disloyal,
      ['whichever owner leaves, the second of the preference list is promoted'],
    ],
    ['loses some of its arcs', Doubtful, ['the arcs of the nodes cover the ring once']],
    [
      'has another fingerprint',
      Amnesic,
      ['jade joining and leaving again restores the ring and every owner'],
    ],
  ])('that %s ends with 1 and names the promise', async (_, Ring, promises) => {
    const makeRing: MakeRing = (stones, options) => new Ring(stones, options)
    const around = { ...surroundings(true), parts: { makeRing, chapters: RING_CHAPTERS } }
    expect(await runAtlas([], around)).toBe(1)
    for (const name of promises) expect(around.stderr.text).toContain(`broken promise: ${name}`)
    expect(around.stdout.text).toMatch(/\d+ of \d+ promises broken\./u)
    expect(around.stdout.text).not.toContain('http://')
  })
})
