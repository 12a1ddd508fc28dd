import { describe, expect, test } from 'vitest'
import { type Host, runCommand } from '../src/cli/command.ts'
import type { CommandConfig } from '../src/cli/config.ts'
import { bytesText, keyLabel, textTable } from '../src/cli/text-table.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { bareFleet, nameOn, openFleet, putUsers } from './router-fleet.ts'

/** A fleet with a celebrity, and the command beside it: each run has handles of its own. */
async function fleet(limits?: CommandConfig['limits']) {
  const { engine, store, map, router } = await openFleet()
  const fans = Array.from({ length: 9 }, (_, id) => ({ name: id < 6 ? 'star' : `fan${id}`, id }))
  await putUsers(router, fans)
  await router.replicate((tx) => tx.put('countries', { code: 'ua' }))
  const databases = Object.fromEntries(engine.shards.map((id) => [id, engine.database(id)]))
  const down = new Set<string>()
  const load = () => {
    const own = new MemoryEngine({ shards: databases })
    for (const shard of down) own.down(shard)
    return { engine: own, store: store.connect(), map, limits }
  }
  return { engine, map, router, down, run: (...args: string[]) => run(args, load) }
}

async function run(args: readonly string[], load: () => unknown, sleep?: () => Promise<void>) {
  const printed = { out: '', err: '' }
  const host: Host = {
    load: async () => load(),
    sleep: async () => sleep?.(),
    print: (text) => {
      printed.out += text
    },
    complain: (text) => {
      printed.err += text
    },
  }
  const withConfig = args.includes('--config') ? args : [...args, '--config', 'fleet.mjs']
  return { code: await runCommand(withConfig, host), ...printed }
}

describe('init', () => {
  test('puts the map in force, once', async () => {
    const { engine, store, map } = bareFleet()
    const databases = Object.fromEntries(engine.shards.map((id) => [id, engine.database(id)]))
    const config = () => ({
      engine: new MemoryEngine({ shards: databases }),
      store: store.connect(),
      map,
    })
    const first = await run(['init'], config)
    expect(first.out).toBe('the map given is in force: epoch 1, 3 shards, 4 tables\n')
    expect(await store.load()).toEqual(map.toJSON())
    const { next } = map.change({ weights: { s1: 2 } })
    await store.compareAndSet(1, next.toJSON())
    const again = await run(['init', '--json'], config)
    expect(JSON.parse(again.out)).toMatchObject({
      epoch: 2,
      isGiven: false,
      shards: map.shards.map(({ id }) => id),
    })
    expect([first.code, again.code]).toEqual([0, 0])
  })

  test('needs a map, and all shards', async () => {
    const { engine, store, map } = bareFleet()
    const without = await run(['init'], () => ({ engine, store }))
    expect(without).toMatchObject({ code: 2, out: '' })
    expect(without.err).toContain('init needs a map')
    const fresh = bareFleet()
    fresh.engine.down('s2')
    const down = await run(['init'], () => ({ ...fresh, map }))
    expect(down).toMatchObject({ code: 2, out: '' })
    expect(down.err).toMatch(/^ashlar-shard: .*s2/u)
  })

  test('closes the engine and the store, whatever happens', async () => {
    const { engine, store } = bareFleet()
    await run(['init'], () => ({ engine, store }))
    await expect(engine.fences('s1')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(store.load()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('status', () => {
  test('shows the shards, and exits 1 if one of them is down', async () => {
    const { run, down } = await fleet()
    const well = await run('status')
    expect(well.code).toBe(0)
    expect(well.out).toMatch(/^epoch 1 on memory; 0 pins, 0 split keys\n\nshard {2}weight {2}zone/u)
    expect(well.out).toMatch(/s1 .+ ok\n/u)
    down.add('s2')
    const ill = await run('status', '--json')
    expect(ill.code).toBe(1)
    const { shards } = JSON.parse(ill.out)
    expect(shards.map((one: { problem?: string }) => one.problem ?? 'ok')).toEqual([
      'ok',
      expect.stringContaining('does not answer'),
      'ok',
    ])
  })
})

describe('route', () => {
  test('shows where a key lies, its pin and its parts', async () => {
    const { run, router, map } = await fleet()
    const { shard, slot } = map.route('star', 'users')
    const plain = await run('route', 'star', '--table', 'users')
    expect(plain).toMatchObject({ code: 0, out: `shard ${shard}, slot ${slot}, epoch 1\n` })
    await router.split('star', 2, { table: 'users' })
    await router.pin('star', shard === 's1' ? 's2' : 's1', { table: 'users' })
    const { out } = await run('route', 'star', '-t', 'users')
    expect(out).toMatch(
      /\npinned to slot \d+ from slot \d+\npart 0: shard s\d, slot \d+\npart 1: /u,
    )
    const pair = await run('route', 'eu', '7', '--json')
    expect(JSON.parse(pair.out)).toMatchObject({ key: ['eu', '7'], parts: [{}] })
  })

  test('says what is wrong with a table', async () => {
    const { run } = await fleet()
    const { code, err } = await run('route', 'star', '--table', 'x')
    expect(code).toBe(2)
    expect(err).toContain('x')
  })
})

describe('hot', () => {
  test('lists the shard keys with most rows, table by table', async () => {
    const { run, map } = await fleet()
    const { code, out } = await run('hot', '--top', '2')
    expect(code).toBe(0)
    const { shard } = map.route('star', 'users')
    const lines = out.split('\n').map((line) => line.split(/ {2,}/u))
    expect(lines[0]).toEqual(['table', 'key', 'shard', 'rows', 'share'])
    expect(lines[1]).toEqual(['users', 'star', shard, '6', '66.7%'])
    expect(lines[2]!.slice(0, 2)).toEqual(['users', 'fan6'])
    expect(lines).toHaveLength(4)
    const json = await run('hot', '--table', 'orders', '--json')
    expect(JSON.parse(json.out)).toEqual({
      tables: [{ table: 'orders', columns: ['user'], rows: 0, keys: [] }],
    })
    expect((await run('hot', '--table', 'x')).err).toContain('no table x; known: countries')
  })

  test('is refused while a shard is down: half an answer would mislead', async () => {
    const { run, down } = await fleet()
    down.add('s3')
    expect(await run('hot')).toMatchObject({ code: 2, out: '' })
  })
})

describe('capacity', () => {
  test('shows rows, sizes, and growth where it measures twice', async () => {
    const { run: once } = await fleet({ maxRows: 1_000_000 })
    const first = await once('capacity')
    expect(first.code).toBe(0)
    expect(first.out).toMatch(/s1 +\d+ +\d+ B +- +- +-\n/u)
    expect(first.out).toMatch(/\nfullest against the mean: \d\.\d\d by rows, /u)
    const { engine, store, map, router } = await openFleet()
    const name = nameOn(map, 's1')
    const grow = () => putUsers(router, [{ name, id: 1 }])
    const load = () => ({ engine, store, limits: { maxRows: 2 } })
    const twice = await run(['capacity', '--wait', '0.01', '--json'], load, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await grow()
    })
    const [s1, s2] = JSON.parse(twice.out).shards
    expect(s1.rowsPerDay).toBeGreaterThan(1_000)
    expect(s1.daysLeft).toBeGreaterThan(0)
    expect(s2).toMatchObject({ rowsPerDay: 0, daysLeft: null })
  })

  test('exits 1 where a shard is full or down', async () => {
    const { run, down } = await fleet({ maxRows: 1 })
    expect((await run('capacity')).code).toBe(1)
    down.add('s1')
    const { code, out } = await run('capacity')
    expect(code).toBe(1)
    expect(out).toContain('no answer from s1')
  })
})

describe('verify', () => {
  test('exits 0 where all is well, 1 with every kind of trouble listed', async () => {
    const { run, engine, map, down } = await fleet()
    expect(await run('verify')).toMatchObject({
      code: 0,
      out: 'ok: 9 rows lie where the map says\n',
    })
    const { shard, slot } = map.route('star', 'users')
    const [other] = engine.shards.filter((id) => id !== shard)
    const [wrong = 0] = map.slotsOf(other!)
    const claims = { slots: [wrong, -1], epoch: 1 }
    const open = await engine.open(other!, claims)
    await open.tx(wrong).put('users', { name: nameOn(map, shard, 90), id: 50 })
    await open.tx(-1).put('countries', { code: 'no' })
    await open.commit()
    await engine.setFences(shard, [{ slot, state: 'moved', epoch: 1 }])
    const { code, out } = await run('verify')
    expect(code).toBe(1)
    expect(out).toContain(
      'not as the map says: 1 rows misplaced, 6 left over, 1 fences, 1 reference',
    )
    expect(out).toMatch(/\nmisplaced: users name=\S+ id=50 under slot \d+ on s\d\n/u)
    expect(out).toContain(`left over: 6 rows of users under slot ${slot} on ${shard}\n`)
    expect(out).toContain(`fence missing: slot ${slot} on ${shard} (moved at epoch 1)\n`)
    expect(out).toMatch(/\ncopies differ: countries \(s1: \d rows, [0-9a-f]{16}; s2: /u)
    down.add('s3')
    const json = await run('verify', '--table', 'jobs', '--json')
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, missing: ['s3'] })
  })
})

describe('arguments', () => {
  test('--help prints the usage', async () => {
    for (const args of [['--help'], ['-h'], ['help'], ['verify', '--help']]) {
      const { code, out } = await run(args, () => undefined)
      expect(code).toBe(0)
      expect(out).toMatch(/^Looks after a fleet of shards\.\n/u)
    }
  })

  test.each([
    [[], 'the command must be one of init, status'],
    [['move'], 'got move'],
    [['route'], 'route takes a key'],
    [['status', 'x'], 'status takes no x'],
    [['status', '--wat'], "'--wat'"],
    [['hot', '--top', 'many'], '--top must be a number of at least 1, got "many"'],
    [['capacity', '--wait=-1'], '--wait must be'],
  ])('%j is refused', async (args, complaint) => {
    const { code, err, out } = await run(args, () => undefined)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(complaint)
    expect(err).toMatch(/^ashlar-shard: .*see ashlar-shard --help\n$/su)
  })

  test('without --config are refused', async () => {
    const host: Host = {
      load: async () => 1,
      sleep: async () => 1,
      print: () => {},
      complain: () => {},
    }
    expect(await runCommand(['status'], host)).toBe(2)
  })

  test.each([undefined, 5, {}, { engine: {} }, { engine: { scan: () => 1 }, store: null }])(
    'a module that exports %j is refused',
    async (exported) => {
      const { code, err } = await run(['status'], () => exported)
      expect(code).toBe(2)
      expect(err).toContain('fleet.mjs')
    },
  )

  test('failures of the program itself are not hidden', async () => {
    const failing = run(['status'], () => {
      throw new TypeError('a bug')
    })
    await expect(failing).rejects.toThrow('a bug')
  })
})

describe('what is printed', () => {
  test('lines up, numbers to the right', () => {
    const rows = [
      ['a', 5, '10.0%'],
      ['bcd', 12_345, '-'],
    ]
    expect(textTable(['name', 'rows', 'share'], rows)).toBe(
      'name    rows  share\na          5  10.0%\nbcd   12,345      -\n',
    )
    expect(textTable(['a', 'b'], [])).toBe('a  b\n')
  })

  test('shows sizes and keys as people read them', () => {
    expect([0, 999, 1_000, 1.25e9, -2e6, 5e18].map(bytesText)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.3 GB',
      '-2.0 MB',
      '5000.0 PB',
    ])
    expect(keyLabel(['eu', 'star\u00012'])).toBe('eu · star #2')
  })
})
