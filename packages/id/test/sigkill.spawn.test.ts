// Processes that hold leases and segments are killed by SIGKILL, wherever they are, over a real
// SQLite file and a real PostgreSQL; then PostgreSQL itself is. What they had said they got is what
// counts: no id and no ticket twice, no tick of a worker leased twice.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { postgresServer } from '@ashlar/testkit/postgres'
import { describe, expect, test } from 'vitest'
import { layouts, SnowflakeCodec } from '../src/index.ts'

const MORTAL = fileURLToPath(import.meta.resolve('./mortal.ts'))
/** Numbers that a process which dies may have fetched and not said: two segments and four. */
const MOST_UNUSED = 2 * 10 + 4
const CREW = 4
const codec = new SnowflakeCodec(layouts.ashlar)

interface Said {
  readonly lease?: { workerId: number; fromTick: number; untilTick: number }
  readonly ids?: readonly string[]
  readonly tickets?: readonly number[]
}

/** One process and what it has said. */
interface Mortal {
  readonly said: Said[]
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
}

function born(engine: string, place: string, ttlMs: number): Mortal {
  const args = ['--conditions=source', MORTAL, engine, place, String(ttlMs)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Said[] = []
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', (line) => said.push(JSON.parse(line)))
  const closed = new Promise((resolve) => lines.once('close', resolve))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  return { said, child, exited: Promise.all([closed, exited]) }
}

/**
 * Several processes at once, again and again; each lives a while and is killed. `ttlMs` says how
 * long leases are; with short ones the workers of the dead come back to life.
 */
async function generations(
  engine: string,
  place: string,
  ttlsMs: readonly number[],
  meanwhile: (generation: number) => Promise<void> = async () => {},
): Promise<Mortal[][]> {
  const all: Mortal[][] = []
  for (const [generation, ttlMs] of ttlsMs.entries()) {
    const crew = Array.from({ length: CREW }, () => born(engine, place, ttlMs))
    all.push(crew)
    try {
      const isAlive = ({ said }: Mortal) => said.some(({ tickets }) => tickets !== undefined)
      await expect.poll(() => crew.every(isAlive), { timeout: 30_000 }).toBe(true)
      await meanwhile(generation)
      for (const { child } of crew) {
        await sleep(Math.random() * 60)
        child.kill('SIGKILL')
      }
    } finally {
      for (const { child } of crew) child.kill('SIGKILL')
      await Promise.all(crew.map(({ exited }) => exited))
    }
  }
  return all
}

function expectNothingTwice(all: readonly (readonly Mortal[])[]): void {
  const said = all.flat().flatMap((mortal) => mortal.said)
  const ids = said.flatMap((each) => each.ids ?? [])
  expect(ids.length).toBeGreaterThan(all.length * CREW * 20)
  expect(new Set(ids).size).toBe(ids.length)
  expectIdsInside(said)
  expectRangesDisjoint(said)
  const tickets = said.flatMap((each) => each.tickets ?? []).toSorted((a, b) => a - b)
  expect(new Set(tickets).size).toBe(tickets.length)
  const missing = tickets.at(-1)! - tickets.length
  expect(missing).toBeLessThanOrEqual(all.flat().length * MOST_UNUSED)
}

/** No id lies outside of the ticks of its lease. */
function expectIdsInside(said: readonly Said[]): void {
  for (const { lease, ids = [] } of said) {
    if (lease === undefined) continue
    for (const id of ids) {
      const { timestamp, workerId, datacenterId = 0 } = codec.decode(id)
      const tick = timestamp - codec.layout.epoch
      expect(datacenterId * 32 + workerId).toBe(lease.workerId)
      expect(tick).toBeGreaterThanOrEqual(lease.fromTick)
      expect(tick).toBeLessThan(lease.untilTick)
    }
  }
}

/** What one lease of a worker used of its ticks ends before the next lease of it begins. */
function expectRangesDisjoint(said: readonly Said[]): void {
  const lastByFrom = new Map<number, Map<number, number>>()
  for (const { lease, ids = [] } of said) {
    if (lease === undefined) continue
    const { workerId, fromTick } = lease
    const ranges = lastByFrom.get(workerId) ?? new Map<number, number>()
    lastByFrom.set(workerId, ranges)
    const ticks = ids.map((id) => codec.decode(id).timestamp - codec.layout.epoch)
    ranges.set(fromTick, Math.max(ranges.get(fromTick) ?? 0, ...ticks))
  }
  for (const ranges of lastByFrom.values()) {
    const sorted = [...ranges].toSorted(([a], [b]) => a - b)
    for (const [i, [from]] of sorted.entries()) {
      if (i > 0) expect(sorted[i - 1]![1]).toBeLessThan(from)
    }
  }
}

/** How many workers the first leases of processes that began together have. */
function firstWorkers(crew: readonly Mortal[]): number {
  return new Set(crew.map(({ said }) => said[0]?.lease?.workerId)).size
}

const LONG = 60_000
const SHORT = 150

describe('processes killed by SIGKILL', { timeout: 300_000 }, () => {
  test('leave nothing to be given out twice in an SQLite file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ashlar-id-'))
    try {
      const all = await generations('sqlite', join(folder, 'ids.db'), [LONG, SHORT, SHORT])
      expect(firstWorkers(all[0]!)).toBe(CREW)
      expectNothingTwice(all)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('leave nothing to be given out twice in PostgreSQL', async () => {
    const server = await postgresServer()
    try {
      const all = await generations('postgres', server.url, [LONG, SHORT, SHORT])
      expect(firstWorkers(all[0]!)).toBe(CREW)
      expectNothingTwice(all)
    } finally {
      await server.stop()
    }
  })

  test('go on where a PostgreSQL that is killed too comes back, with nothing twice', async () => {
    const server = await postgresServer({ fsync: true })
    try {
      const all = await generations('postgres', server.url, [LONG, SHORT], async () => {
        for (let i = 0; i < 2; i++) {
          await server.restart()
          await sleep(100)
        }
      })
      expectNothingTwice(all)
    } finally {
      await server.stop()
    }
  })
})
