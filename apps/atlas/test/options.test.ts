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
    [['--simulate', 'x'], /--simulate must be an integer/u],
  ])('refuses %j and says why', (argv, message) => {
    expect(() => readOptions(argv)).toThrow(OptionError)
    expect(() => readOptions(argv)).toThrow(message)
  })
})
