// The command, spawned from source as a user runs it from the package.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatHistory } from '@ashlar/history'
import { afterAll, describe, expect, test } from 'vitest'
import { written } from './oracles/notation.ts'

const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const folder = mkdtempSync(join(tmpdir(), 'ashlar-history-'))
afterAll(() => rmSync(folder, { recursive: true }))

const stale = formatHistory(written('a: write x 1\na: ok\nb: read x\nb: ok null'))
const fine = formatHistory(written('a: write x 1\na: ok\nb: read x\nb: ok 1'))

function run(args: readonly string[], input = '') {
  const argv = ['--conditions=source', main, ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { input, encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('the process of ashlar-history', () => {
  test('reads standard input, writes standard output and exits 0', () => {
    expect(run(['check', '-', '--model', 'register'], fine)).toEqual({
      status: 0,
      stdout: 'ok: 2 operations judged as register\n',
      stderr: '',
    })
  })

  test('reads a file and exits 1 where a promise is broken', () => {
    const file = join(folder, 'stale.jsonl')
    writeFileSync(file, stale)
    const { status, stdout, stderr } = run(['check', file, '--model', 'register'])
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(stdout).toContain('b                 ├─ read x → null ─┤\n')
  })

  test('says on standard error what it cannot read, and exits 2', () => {
    const missing = join(folder, 'missing')
    const { status, stdout, stderr } = run(['check', missing, '--model', 'lock'])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(`ashlar-history: ENOENT`)
    expect(stderr).toContain(missing)
  })
})
