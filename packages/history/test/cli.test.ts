// The command, spawned from source as a user runs it from the package.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

describe('ashlar-history check', () => {
  test('exits 0 for a history that keeps its promise', () => {
    expect(run(['check', '-', '--model', 'register'], fine)).toEqual({
      status: 0,
      stdout: 'ok: 2 operations judged as register\n',
      stderr: '',
    })
  })

  test('exits 1 for one that does not, and draws why, from a file', () => {
    const file = join(folder, 'stale.jsonl')
    writeFileSync(file, stale)
    const { status, stdout } = run(['check', file, '--model', 'register'])
    expect(status).toBe(1)
    expect(stdout).toBe(
      [
        '1 violation: 2 operations judged as register',
        '',
        'not-linearizable of x: 2 operations have no order that is legal for a register, ' +
          'whatever the others did: write x 1 by a (id 0), read x by b (id 1)',
        '',
        'a  ├─ write x 1 ─┤',
        'b                 ├─ read x → null ─┤',
        '',
      ].join('\n'),
    )
  })

  test('prints the verdict for a program', () => {
    const { status, stdout } = run(['check', '-', '--model', 'register', '--json'], stale)
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      operations: 2,
      violations: [{ kind: 'not-linearizable', key: 'x', isSmallest: true }],
    })
  })

  test('passes options on', () => {
    const zero = formatHistory(written('b: read x\nb: ok 0'))
    expect(run(['check', '-', '--model', 'register', '--initial', '0'], zero).status).toBe(0)
    expect(run(['check', '-', '--model', 'staleness', '--bound-ms', '5'], stale).status).toBe(0)
    expect(run(['check', '-', '--model', 'staleness', '--bound-ms', '0'], stale).status).toBe(1)
  })

  test('exits 3 where the search gives up', () => {
    const lines = Array.from({ length: 12 }, (_, i) => `p${i}: add x ${2 ** i}`)
    const hard = formatHistory(written([...lines, 'r: read x', 'r: ok 4097'].join('\n')))
    const { status, stdout } = run(['check', '-', '--model', 'counter', '--max-steps', '20'], hard)
    expect({ status, stdout }).toEqual({
      status: 3,
      stdout: 'unknown: the search gave up, raise --max-steps; 13 operations judged as counter\n',
    })
  })

  test.each([
    [['check', '-', '--model', 'register'], 'line 1: must be one JSON object', 'nonsense'],
    [['check', '-', '--model', 'queue'], 'a queue knows enqueue, dequeue, got "write"', fine],
    [['check', join(folder, 'missing'), '--model', 'lock'], 'ENOENT', ''],
    [['check', '-', '--model', 'staleness'], 'needs --bound-ms', fine],
    [
      ['check', '-', '--model', 'staleness', '--bound-ms', 'x'],
      '--bound-ms must be a number',
      fine,
    ],
    [['check', '-', '--model', 'toaster'], '--model must be one of register, cas-register', fine],
    [['check', '-', '--model', 'register', '--initial', 'x'], '--initial must be JSON', fine],
    [['check', '-'], 'got none', fine],
    [['check'], 'check takes one file, or - for standard input', ''],
    [['check', 'a', 'b', '--model', 'lock'], 'check takes one file', ''],
    [['judge', '-'], 'the command must be check or draw, got judge', ''],
    [[], 'the command must be check or draw, got none', ''],
    [['check', '-', '--modle', 'lock'], '--modle', ''],
  ])('exits 2 for bad input: %s %s', (args, message, input) => {
    const { status, stdout, stderr } = run(args, input)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(`ashlar-history: `)
    expect(stderr).toContain(message)
  })
})

test('ashlar-history draw draws a history', () => {
  expect(run(['draw', '-'], fine).stdout).toBe(
    'a  ├─ write x 1 ─┤\nb                 ├─ read x → 1 ─┤\n',
  )
})

test('ashlar-history --help lists every model and exits 0', () => {
  const { status, stdout } = run(['--help'])
  expect(status).toBe(0)
  const readme = readFileSync(join(main, '..', '..', '..', 'README.md'), 'utf8')
  for (const [, name] of stdout.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gmu)) {
    expect(readme).toContain(`\`${name}\``)
  }
  expect(stdout).toContain('cas-register')
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})
