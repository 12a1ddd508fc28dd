import { describe, expect, test } from 'vitest'
import { OptionError, readOptions } from '../src/options.ts'

describe('the command line', () => {
  test('has a default for everything', () => {
    expect(readOptions([])).toEqual({
      help: false,
      once: false,
      port: 0,
      nodes: 12,
      virtualNodes: 256,
      seed: 0,
      policy: 'adaptive',
      engine: 'sqlite',
      postgres: [],
      cache: 'memory',
      redis: [],
      simulate: undefined,
    })
  })

  test('is read with values apart or behind an equals sign', () => {
    const argv = [
      '--once',
      '--port',
      '8080',
      '--nodes=6',
      '--virtual-nodes=64',
      '--seed',
      '7',
      '--policy=lru',
    ]
    expect(readOptions(argv)).toMatchObject({
      once: true,
      port: 8080,
      nodes: 6,
      virtualNodes: 64,
      seed: 7,
      policy: 'lru',
    })
  })

  test('takes PostgreSQL servers, which need no --engine beside them', () => {
    const urls = ['postgres://ann:secret@db1/app', 'postgresql://db2:5433/app']
    const expected = { engine: 'postgres', postgres: urls }
    expect(readOptions(['--postgres', urls.join()])).toMatchObject(expected)
    expect(readOptions(['--engine=postgres', `--postgres=${urls.join(', ')}`])).toMatchObject(
      expected,
    )
    expect(readOptions(['--engine', 'postgres'])).toMatchObject({ ...expected, postgres: [] })
  })

  test('takes Redis servers, which need no --cache beside them', () => {
    const urls = ['redis://ann:secret@host1/2', 'rediss://host2:6380']
    const expected = { cache: 'redis', redis: urls }
    expect(readOptions(['--redis', urls.join()])).toMatchObject(expected)
    expect(readOptions(['--cache=redis', `--redis=${urls.join(', ')}`])).toMatchObject(expected)
    expect(readOptions(['--cache', 'redis'])).toMatchObject({ ...expected, redis: [] })
  })

  test.each([
    ['--postgres', 'postgres://db,http://ann:secret@db'],
    ['--redis', 'redis://host,http://ann:secret@host'],
  ])('does not repeat what may be a password after %s', (option, text) => {
    const read = (): unknown => readOptions([option, text])
    expect(read).toThrow(/another thing as number 2/u)
    expect(read).not.toThrow(/secret/u)
  })

  test.each([
    [['--twice'], /--twice.*--help/u],
    [['stray'], /stray.*--help/u],
    [['--port'], /--port/u],
    [['--port', '65536'], /--port must be an integer from 0 to 65535, got "65536"/u],
    [['--port', '1e3'], /--port must be/u],
    [['--port='], /--port must be/u],
    [['--nodes', '5'], /--nodes must be an integer from 6 to 23, got "5"/u],
    [['--nodes', '24'], /--nodes must be/u],
    [['--virtual-nodes', '0'], /--virtual-nodes must be/u],
    [['--seed', '4294967296'], /--seed must be/u],
    [['--seed=-1'], /--seed must be an integer from 0 to 4294967295, got "-1"/u],
    [['--seed', '0.5'], /--seed must be/u],
    [['--policy', 'mru'], /--policy must be one of fifo, lru, .*, got "mru"/u],
    [['--policy='], /--policy must be/u],
    [['--engine', 'mysql'], /--engine must be one of sqlite, postgres, got "mysql"/u],
    [['--engine='], /--engine must be/u],
    [['--engine', 'sqlite', '--postgres', 'postgres://db'], /--postgres is for --engine postgres/u],
    [['--postgres', ''], /--postgres must be 1 to 5 URLs/u],
    [['--postgres', 'db1'], /--postgres must be .*, got another thing as number 1/u],
    [['--postgres', 'postgres://db,'.repeat(6)], /--postgres must be/u],
    [['--cache', 'memcached'], /--cache must be one of memory, redis, got "memcached"/u],
    [['--cache='], /--cache must be/u],
    [['--cache', 'memory', '--redis', 'redis://a'], /--redis is for --cache redis, not memory/u],
    [['--redis', ''], /--redis must be 1 to 4 URLs like redis:/u],
    [['--redis', 'host:6379'], /--redis must be .*, got another thing as number 1/u],
    [['--redis', 'redis://a,'.repeat(5)], /--redis must be/u],
    [['--simulate', 'x'], /--simulate must be an integer/u],
  ])('refuses %j and says why', (argv, message) => {
    expect(() => readOptions(argv)).toThrow(OptionError)
    expect(() => readOptions(argv)).toThrow(message)
  })
})
