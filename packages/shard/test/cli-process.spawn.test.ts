// The command, spawned from source as a user runs it from the package.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const config = join(import.meta.dirname, 'cli-config.mjs')

function run(args: readonly string[]) {
  const argv = ['--conditions=source', main, ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('the process of ashlar-shard', () => {
  test('does what it is told with the fleet of a module, and exits 0', () => {
    expect(run(['init', '--config', config])).toEqual({
      status: 0,
      stdout: 'the map given is in force: epoch 1, 2 shards, 1 tables\n',
      stderr: '',
    })
  })

  test('says on standard error what it cannot do, and exits 2', () => {
    const { status, stdout, stderr } = run(['status', '--config', config])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^ashlar-shard: the store holds no map; .+`ashlar-shard init`\n$/u)
  })

  test('says which module is not there', () => {
    const { status, stderr } = run(['status', '--config', './no-such-module.mjs'])
    expect(status).toBe(2)
    expect(stderr).toContain('no-such-module.mjs')
  })
})
