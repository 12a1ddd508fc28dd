import { describe, expect, test } from 'vitest'
import { DiskError, type Env, type Fault, simulate } from '../src/index.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Runs `first` before a crash at 100 ms and `second` after it; resolves to what second says. */
async function acrossCrash<T>(
  fault: Omit<Extract<Fault, { kind: 'crash' }>, 'node' | 'atMs' | 'downMs' | 'kind'>,
  seed: number,
  first: (env: Env) => unknown,
  second: (env: Env) => Promise<T>,
): Promise<T> {
  const results: T[] = []
  const crash = { kind: 'crash', node: 'a', atMs: 100, downMs: 1, ...fault } as const
  await simulate({ seed, faults: [crash], horizonMs: 200 }, (s) => {
    s.node('a', async (env) => {
      if (env.incarnation === 1) await first(env)
      else results.push(await second(env))
    })
  })
  return results[0]!
}

describe('a disk', () => {
  test('does what files do', async () => {
    const said: unknown[] = []
    await simulate({ seed: 1, faults: [], horizonMs: 500 }, (s) => {
      s.node('a', async ({ disk }) => {
        said.push((await disk.read('none')).length)
        said.push(await disk.append('f', 'hello'))
        said.push(await disk.append('f', new Uint8Array([32])))
        said.push(await disk.append('f', 'wörld'))
        said.push(text(await disk.read('f')))
        said.push(await disk.write('f', 0, 'J'))
        said.push(text(await disk.read('f', 0, 5)), text(await disk.read('f', 6)))
        said.push(await disk.truncate('f', 4))
        said.push(await disk.truncate('f', 6), [...(await disk.read('f'))])
        said.push(await disk.write('f', 8, 'x'), [...(await disk.read('f', 5))])
        said.push(await disk.sync('f'))
        said.push((await disk.read('f', 99)).length, (await disk.read('__proto__')).length)
      })
    })
    expect(said).toEqual([
      ...[0, 5, 6, 12, 'hello wörld', 12, 'Jello', 'wörld', 4],
      ...[6, [74, 101, 108, 108, 0, 0], 9, [0, 0, 0, 120], 9, 0, 0],
    ])
  })

  test('takes its time, and completes what is issued to a file in order', async () => {
    const done: string[] = []
    let syncMs = 0
    let otherMs = 0
    await simulate({ seed: 1, faults: [], horizonMs: 500 }, (s) => {
      s.node('a', ({ disk }) => {
        disk.append('f', 'a').then(() => done.push('a'))
        disk.sync('f').then(() => {
          done.push('sync')
          syncMs = s.elapsedMs()
        })
        disk.append('f', 'b').then((size) => done.push(`b ${size}`))
        disk.read('f').then((bytes) => done.push(text(bytes)))
        disk.append('g', 'x').then(() => {
          otherMs = s.elapsedMs()
        })
      })
    })
    expect(done).toEqual(['a', 'sync', 'b 2', 'ab'])
    expect(syncMs).toBeGreaterThan(0.5)
    expect(otherMs).toBeGreaterThan(0.02)
    expect(otherMs).toBeLessThan(0.2)
  })

  test('copies data: what is changed after a call is not what was written', async () => {
    const said: unknown[] = []
    await simulate({ seed: 1, faults: [], horizonMs: 500 }, (s) => {
      s.node('a', async ({ disk }) => {
        const data = new Uint8Array([1])
        const written = disk.append('f', data)
        data[0] = 2
        await written
        const read = await disk.read('f')
        read[0] = 3
        said.push([...(await disk.read('f'))])
      })
    })
    expect(said).toEqual([[1]])
  })
})

describe('a crash and a disk', () => {
  const flush = async ({ disk }: Env) => {
    await disk.append('f', 'synced')
    await disk.sync('f')
    await disk.append('f', 'lost')
    await disk.truncate('g', 5)
    disk.append('f', 'in flight')
  }

  test('what was synced is there, what was not may be lost', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const read = async ({ disk }: Env) => text(await disk.read('f'))
      expect(await acrossCrash({ unsyncedLoss: 1 }, seed, flush, read)).toBe('synced')
    }
  })

  test('what was not synced may survive, torn, or later parts without earlier ones', async () => {
    const outcomes = new Map<string, number>()
    for (let seed = 0; seed < 600; seed++) {
      const write = async ({ disk }: Env) => {
        await disk.append('f', 'AAAA')
        await disk.append('f', 'BBBB')
      }
      const read = async ({ disk }: Env) => text(await disk.read('f')).replaceAll('\0', '.')
      const left = await acrossCrash({ unsyncedLoss: 0.5 }, seed, write, read)
      outcomes.set(left, (outcomes.get(left) ?? 0) + 1)
    }
    for (const whole of ['', 'AAAA', '....BBBB', 'AAAABBBB']) {
      expect([whole, (outcomes.get(whole) ?? 0) > 20]).toEqual([whole, true])
    }
    for (const torn of ['A', 'AAA', '....B', 'AAAABB']) expect([...outcomes.keys()]).toContain(torn)
    for (const left of outcomes.keys()) expect(left).toMatch(/^(A{0,4}|[A.]{4}B{0,4})$/)
  })

  test('what was synced is not done again by a crash: a later write stays on top', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const write = async ({ disk }: Env) => {
        for (const letter of 'abc') {
          await disk.write('f', 0, letter)
          await disk.sync('f')
        }
      }
      const read = async ({ disk }: Env) => text(await disk.read('f'))
      expect(await acrossCrash({ unsyncedLoss: 0.5 }, seed, write, read)).toBe('c')
    }
  })

  test('what a dead process still asks for never reaches the disk', async () => {
    const said: string[] = []
    let ghost: Env['disk'] | undefined
    const crash = { kind: 'crash', node: 'a', downMs: 1, unsyncedLoss: 0 } as const
    const faults = [50, 100].map((atMs) => ({ ...crash, atMs }))
    await simulate({ seed: 1, faults, horizonMs: 200 }, (s) => {
      s.node('a', async ({ disk }) => {
        said.push(text(await disk.read('f')))
        const old = ghost
        ghost ??= disk
        old?.append('f', 'ghost')
        await disk.append('f', 'x')
        await disk.sync('f')
      })
    })
    expect(said).toEqual(['', 'x', 'xx'])
  })

  // The oracle: the durable bytes are the synced ones, plus a subset of what came after, each
  // whole or a prefix. With every change at its own place that can be read off byte by byte.
  test('synced data is never lost, whatever the order of writes and crashes', async () => {
    for (let seed = 0; seed < 150; seed++) {
      const written = new Map<number, { synced: boolean }>()
      const wrong: string[] = []
      const options = { seed, kinds: ['crash', 'restart', 'pause'] as const, horizonMs: 400 }
      await simulate({ ...options, profile: 'hostile' }, (s) => {
        let next = 0
        s.node('a', async (env) => {
          const found = await env.disk.read('f')
          for (const [at, { synced }] of written) {
            const byte = found[at] ?? 0
            if (synced && byte !== at % 251) wrong.push(`${at} was synced, read ${byte}`)
            if (byte !== 0 && byte !== at % 251) wrong.push(`${at} holds ${byte}`)
          }
          for (;;) {
            const at = 1 + next++
            const mine = { synced: false }
            written.set(at, mine)
            const isWritten = env.disk.write('f', at, new Uint8Array([at % 251]))
            if (env.random() < 0.5) await isWritten
            if (env.random() < 0.3) {
              const upTo = [...written].filter(([each]) => each <= at)
              await env.disk.sync('f')
              // What an earlier process wrote may have been lost before this one synced.
              for (const [each, state] of upTo) {
                if ((await env.disk.read('f', each, 1))[0] === each % 251) state.synced = true
              }
            }
            await env.sleep(env.random())
          }
        })
      })
      expect([seed, wrong]).toEqual([seed, []])
    }
  })

  test('a disk that lies about sync is caught by the same reading (broken twin)', async () => {
    let caught = 0
    for (let seed = 0; seed < 20; seed++) {
      const lie = async ({ disk }: Env) => {
        await disk.append('f', 'synced')
        // The twin of sync: it answers without doing anything.
        await disk.read('f')
      }
      const read = async ({ disk }: Env) => text(await disk.read('f'))
      if ((await acrossCrash({ unsyncedLoss: 0.8 }, seed, lie, read)) !== 'synced') caught++
    }
    expect(caught).toBeGreaterThan(10)
  })
})

describe('a process that dies while its machine goes on', () => {
  const read = async ({ disk }: Env) => text(await disk.read('f'))
  const append = async ({ disk }: Env) => {
    await disk.append('f', 'there')
    disk.append('f', ' soon')
  }
  /** Restarts the process at 50 ms, and cuts the power of the machine at 100. */
  const outlive = async (seed: number, first: (env: Env) => unknown) => {
    const found: string[] = []
    const faults = [
      { kind: 'restart', node: 'a', atMs: 50, downMs: 1 },
      { kind: 'crash', node: 'a', atMs: 100, downMs: 1, unsyncedLoss: 1 },
    ] as const
    await simulate({ seed, faults, horizonMs: 200 }, (s) => {
      s.node('a', async (env) => {
        found.push(await read(env))
        if (env.incarnation === 2) await env.disk.sync('f')
        // So that the second write is on its way when the process dies.
        if (env.incarnation === 1) env.timers.setTimeout(() => first(env), 49.8)
      })
    })
    return found
  }

  test('leaves what it wrote, and some of what was on its way', async () => {
    const outcomes = new Map<string, number>()
    for (let seed = 0; seed < 100; seed++) {
      const [, left, kept] = await outlive(seed, append)
      // What is there is the disk's now: to sync it is to keep it.
      expect(kept).toBe(left)
      outcomes.set(left!, (outcomes.get(left!) ?? 0) + 1)
    }
    expect([...outcomes.keys()].sort()).toEqual(['', 'there', 'there soon'])
    for (const count of outcomes.values()) expect(count).toBeGreaterThan(5)
  })
})

describe('a fault of a disk', () => {
  const attempts = async (faults: readonly Fault[]) => {
    const failed: [operation: string, atMs: number][] = []
    let flips = 0
    const report = await simulate({ seed: 2, faults, horizonMs: 1500 }, (s) => {
      s.node('a', async ({ disk, sleep }) => {
        await disk.append('f', new Uint8Array(8))
        const operations = [
          () => disk.append('f', ''),
          () => disk.write('f', 0, new Uint8Array(1)),
          () => disk.truncate('f', 8),
          () => disk.sync('f'),
          async () => {
            const bytes = await disk.read('f')
            const ones = [...bytes].map((byte) => byte.toString(2).replaceAll('0', '').length)
            flips += ones.reduce((sum, count) => sum + count, 0)
          },
        ]
        for (;;) {
          for (const operation of operations) {
            await operation().catch((error: unknown) => {
              if (!(error instanceof DiskError)) throw error
              expect(error).toMatchObject({ code: 'EIO', file: 'f', name: 'DiskError' })
              failed.push([error.operation, s.elapsedMs()])
            })
          }
          await sleep(1)
        }
      })
    })
    return { failed, flips, report }
  }
  const span = { node: 'a', atMs: 400, forMs: 600 }

  test('diskWrite fails changes and syncs at its rate, and heals', async () => {
    const { failed, report } = await attempts([{ kind: 'diskWrite', ...span, rate: 0.3 }])
    const kinds = new Set(failed.map(([operation]) => operation))
    expect(kinds).toEqual(new Set(['append', 'write', 'truncate', 'sync']))
    expect(failed.every(([, at]) => at > 400 && at < 1001)).toBe(true)
    expect(failed.length).toBe(report.injected.diskWrite)
    expect(failed.length).toBeGreaterThan(100)
  })

  test('diskWrite leaves no trace of what it failed', async () => {
    const sizes: number[] = []
    const faults = [{ kind: 'diskWrite', node: 'a', atMs: 0, forMs: 9, rate: 1 }] as const
    await simulate({ seed: 1, faults, horizonMs: 20 }, (s) => {
      s.node('a', async ({ disk, sleep }) => {
        await disk.append('f', 'x').catch(() => sizes.push(-1))
        sizes.push((await disk.read('f')).length)
        await sleep(10)
        sizes.push(await disk.append('f', 'yz'), (await disk.read('f')).length)
      })
    })
    expect(sizes).toEqual([-1, 0, 2, 2])
  })

  test('diskRead fails reads only', async () => {
    const { failed, report } = await attempts([{ kind: 'diskRead', ...span, rate: 0.5 }])
    expect(new Set(failed.map(([operation]) => operation))).toEqual(new Set(['read']))
    expect(failed.length).toBe(report.injected.diskRead)
    expect(failed.length).toBeGreaterThan(40)
  })

  test('bitFlip flips one bit of what is read, not of what is stored', async () => {
    const { failed, flips, report } = await attempts([{ kind: 'bitFlip', ...span, rate: 0.5 }])
    expect(failed).toEqual([])
    expect(flips).toBe(report.injected.bitFlip)
    expect(flips).toBeGreaterThan(40)
  })

  test('bitFlip finds every bit of what is read, and nothing in what is empty', async () => {
    const flipped = new Set<number>()
    const faults = [{ kind: 'bitFlip', node: 'a', atMs: 0, forMs: 900, rate: 1 }] as const
    const { injected } = await simulate({ seed: 3, faults, horizonMs: 900 }, (s) => {
      s.node('a', async ({ disk }) => {
        for (let i = 0; i < 5; i++) await disk.read('none')
        await disk.append('f', new Uint8Array(3))
        for (let i = 0; i < 300; i++) {
          const bytes = await disk.read('f')
          const at = bytes.findIndex((byte) => byte !== 0)
          flipped.add(at * 8 + Math.log2(bytes[at]!))
        }
      })
    })
    expect([...flipped].sort((a, b) => a - b)).toEqual([...new Array(24).keys()])
    expect(injected.bitFlip).toBe(300)
  })

  test('has a message that names the operation and the file', () => {
    expect(new DiskError('sync', 'wal').message).toBe('EIO: simulated i/o error, sync "wal"')
  })

  // Each kind of chance on a disk draws from a stream of its own: a seed goes on standing for what
  // it stood for when this was written down.
  const FOUND = (
    'abcdefghijkl120231342530561602710821012 abc......jkl200311422450561752740821162...def def ' +
    'abcdefghijkl120231342530721752860901012 ...d..ghijkl510121342000561752940821012......g jkl ' +
    'ghi abcdefjkl...350311342450561602710821012 def ...def......310311422150721832020051162' +
    '...ghi abcdefghijkl120151262300411522710821932 def ' +
    '......ghijkl120541422310801302640521402......jkl def'
  ).split(' ')
  test('is the same for the same seed as when it was written down', async () => {
    const seen: string[] = []
    for (let seed = 0; seed < 4; seed++) {
      const faults = [
        { kind: 'diskWrite', node: 'a', atMs: 0, forMs: 90, rate: 0.2 },
        { kind: 'bitFlip', node: 'a', atMs: 0, forMs: 90, rate: 0.3 },
        { kind: 'restart', node: 'a', atMs: 30, downMs: 1 },
        { kind: 'crash', node: 'a', atMs: 60, downMs: 1, unsyncedLoss: 0.5 },
      ] as const
      await simulate({ seed, faults, horizonMs: 90 }, (s) => {
        s.node('a', async ({ disk, incarnation }) => {
          const found = await disk.read('f')
          if (incarnation > 1) seen.push(text(found).replaceAll(/[^!-~]/gu, '.'))
          for (const letters of ['abc', 'def', 'ghi', 'jkl']) {
            await disk.append('f', letters).catch(() => seen.push(letters))
          }
          for (let i = 0; ; i++) {
            await disk.write('f', 12 + 3 * (i % 9), `${i % 10}${i % 7}${i % 3}`).catch(() => {})
          }
        })
      })
    }
    expect(seen).toEqual(FOUND)
  })

  test('the worst of several counts', async () => {
    const both = [
      { kind: 'diskRead', ...span, rate: 1 },
      { kind: 'diskRead', ...span, rate: 0 },
    ] as const
    expect((await attempts(both)).failed.length).toBeGreaterThan(90)
  })
})
