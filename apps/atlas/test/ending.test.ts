// Whatever ends the atlas, nothing that it made stays behind: no folder, no server, no database.

import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ShardRouter, type SqlTx } from '@ashlar/shard'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runAtlas } from '../src/atlas.ts'
import { type CityRouter, CityShards } from '../src/city-shards.ts'
import { Closers } from '../src/closers.ts'
import { endAt } from './ended-atlas.ts'
import { flawed } from './flawed.ts'
import { surroundings } from './stage.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'atlas-ending-'))
  // The servers run as another user.
  chmodSync(folder, 0o755)
})

afterEach(() => rmSync(folder, { recursive: true }))

/** What is kept from run to run on purpose. */
const isKept = (name: string): boolean => name.startsWith('ashlar-testkit-')

describe('a signal', () => {
  test('in the midst of the story removes the files', async () => {
    const { made, ...ended } = await endAt(folder, /the ten largest/u, 'SIGTERM')
    expect(ended).toEqual({ code: 143, stderr: 'ended by SIGTERM\n' })
    expect(made).toEqual([expect.stringMatching(/^ashlar-atlas-/u)])
    expect(readdirSync(folder)).toEqual([])
  })

  test('before there is anything to remove ends it as well', async () => {
    const { made, ...ended } = await endAt(folder, /^1\. Load/mu, 'SIGINT')
    expect({ ...ended, made }).toEqual({ code: 130, stderr: 'ended by SIGINT\n', made: [] })
  })

  test('stops the servers that were started', async () => {
    const { made, ...ended } = await endAt(
      folder,
      /storing: 25 %/u,
      'SIGINT',
      '--engine',
      'postgres',
    )
    expect(ended).toEqual({ code: 130, stderr: 'ended by SIGINT\n' })
    // One for each shard, and for the one that joins later.
    expect(made.filter((name) => !isKept(name))).toHaveLength(5)
    await expect.poll(() => readdirSync(folder).filter((name) => !isKept(name))).toEqual([])
  })
})

describe('a failure', () => {
  type RouterOptions = Parameters<typeof ShardRouter.open<SqlTx>>[0]

  beforeEach(() => vi.stubEnv('TMPDIR', folder))
  afterEach(() => vi.unstubAllEnvs())

  test('in the midst of the story removes the files', async () => {
    const pin = async (): Promise<never> => {
      throw new Error('no pin today')
    }
    const makeCityRouter = async (options: RouterOptions) =>
      flawed<CityRouter>(await ShardRouter.open(options), { pin })
    const around = { ...surroundings(), parts: { makeCityRouter } }
    expect(await runAtlas(['--once'], around)).toBe(1)
    expect(around.stderr.text).toBe('no pin today\n')
    expect(readdirSync(folder)).toEqual([])
    expect(around.signals.eventNames()).toEqual([])
  })

  test('of the second router closes the first, and removes the files', async () => {
    const routers: CityRouter[] = []
    const makeCityRouter = async (options: RouterOptions): Promise<CityRouter> => {
      if (routers.length > 0) throw new Error('no second router today')
      routers.push(await ShardRouter.open(options))
      return routers[0]!
    }
    const { signal } = new AbortController()
    const databases = { engine: 'sqlite', postgres: [] } as const
    const open = CityShards.open([], { ...databases, signal, makeCityRouter })
    await expect(open).rejects.toThrow('no second router today')
    expect(readdirSync(folder)).toEqual([])
    await expect(routers[0]!.verify()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('closers', () => {
  test('close what was opened last first, once, and all of it', async () => {
    const closed: string[] = []
    const closers = new Closers()
    closers.add(() => closed.push('first'))
    closers.add(() => {
      throw new Error('stuck')
    })
    closers.add(async () => closed.push('last'))
    await expect(closers.close()).rejects.toThrow('stuck')
    await closers.close()
    expect(closed).toEqual(['last', 'first'])
  })
})
