// What the command answers, in this process.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatHistory } from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../src/cli/command.ts'
import { written } from './oracles/notation.ts'

const staleText = 'a: write x 1\na: ok\nb: read x\nb: ok null'
const stale = formatHistory(written(staleText))
const fine = formatHistory(written('a: write x 1\na: ok\nb: read x\nb: ok 1'))

function run(args: readonly string[], input = '', read = () => input) {
  let [stdout, stderr] = ['', '']
  const status = runCommand(args, {
    read,
    print: (text) => {
      stdout += text
    },
    complain: (text) => {
      stderr += text
    },
  })
  return { status, stdout, stderr }
}

const statusOf = (text: string, ...args: string[]) =>
  run(['check', '-', ...args], formatHistory(written(text))).status

describe('ashlar-history check', () => {
  test('exits 0 for a history that keeps its promise', () => {
    expect(run(['check', '-', '--model', 'register'], fine)).toEqual({
      status: 0,
      stdout: 'ok: 2 operations judged as register\n',
      stderr: '',
    })
  })

  test('exits 1 for one that does not, and draws why', () => {
    const { status, stdout } = run(['check', 'a-file', '--model', 'register'], stale)
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

  test('reads the file that is named', () => {
    const read = (file?: string) => {
      expect(file).toBe('some/file')
      return fine
    }
    expect(run(['check', 'some/file', '--model', 'register'], '', read).status).toBe(0)
  })

  test('prints the verdict for a program', () => {
    const { status, stdout } = run(['check', '-', '--model', 'register', '--json'], stale)
    expect(status).toBe(1)
    expect(stdout.endsWith('}\n')).toBe(true)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      operations: 2,
      violations: [{ kind: 'not-linearizable', key: 'x', isSmallest: true }],
    })
  })

  test('shows ten violations and counts the others', () => {
    const twice = (count: number) => {
      const takes = Array.from({ length: count + 1 }, () => 'a: take\na: ok 7').join('\n')
      return run(['check', '-', '--model', 'unique'], formatHistory(written(takes))).stdout
    }
    expect(twice(2)).toMatch(/^2 violations: 3 operations judged as unique\n\nduplicate-id: 7 was/u)
    expect(twice(10).match(/^duplicate-id/gmu)).toHaveLength(10)
    expect(twice(10)).not.toContain('more')
    expect(twice(12).match(/^duplicate-id/gmu)).toHaveLength(10)
    expect(twice(12)).toContain('┤\n\n… and 2 more\n')
    expect(twice(2)).toContain('┤\n\nduplicate-id')
  })

  test.each(['register', 'cas-register', 'sessions', 'causal'])(
    '--initial is the value of a %s before the first write',
    (model) => {
      const text = 'b: read x\nb: ok 0'
      expect(statusOf(text, '--model', model, '--initial', '0')).toBe(0)
      expect(statusOf(text, '--model', model)).toBe(1)
      expect(statusOf('b: read x\nb: ok null', '--model', model)).toBe(0)
    },
  )

  test('--bound-ms is how far a read may look back', () => {
    const bounded = ['--model', 'staleness', '--bound-ms']
    expect(statusOf(staleText, ...bounded, '5')).toBe(0)
    expect(statusOf(staleText, ...bounded, '0.5')).toBe(1)
    expect(statusOf(staleText, ...bounded, '0')).toBe(1)
    expect(statusOf('b: read x\nb: ok 0', ...bounded, '0', '--initial', '0')).toBe(0)
    expect(statusOf('b: read x\nb: ok 0', ...bounded, '0', '--initial', '1')).toBe(1)
  })

  test('exits 3 where the search gives up', () => {
    const lines = Array.from({ length: 12 }, (_, i) => `p${i}: add x ${2 ** i}`)
    const hard = formatHistory(written([...lines, 'r: read x', 'r: ok 4097'].join('\n')))
    expect(run(['check', '-', '--model', 'counter', '--max-steps', '20'], hard)).toEqual({
      status: 3,
      stdout: 'unknown: the search gave up, raise --max-steps; 13 operations judged as counter\n',
      stderr: '',
    })
  })

  test.each([
    ['register', 'a: write 1\na: ok', 'a: read\na: ok 1'],
    ['cas-register', 'a: cas [null,1]\na: ok', 'a: cas [1,2]\na: ok'],
    ['counter', 'a: add 2\na: ok\na: read\na: ok 2', 'a: read\na: ok 2'],
    ['queue', 'a: enqueue 1\na: ok\nb: dequeue\nb: ok 1', 'b: dequeue\nb: ok 1'],
    ['lock', 'a: acquire\na: ok\na: release\na: ok', 'a: acquire\na: ok\nb: acquire\nb: ok'],
    ['ticket', 'a: take\na: ok 1\nb: take\nb: ok 2', 'a: take\na: ok 1\nb: take\nb: ok 1'],
    ['set', 'a: add 1\na: ok\na: has 1\na: ok true', 'a: has 1\na: ok true'],
    ['unique', 'a: take\na: ok 1\nb: take\nb: ok 2', 'a: take\na: ok 1\nb: take\nb: ok 1'],
    ['ledger', 'a: insert 1\na: ok\nb: read\nb: ok [1]', 'a: insert 1\na: ok\nb: read\nb: ok []'],
    ['sessions', 'a: write 1\na: ok\na: read\na: ok 1', 'a: write 1\na: ok\na: read\na: ok null'],
    ['causal', 'a: write 1\na: ok\nb: read\nb: ok null', 'a: write 1\na: ok\na: read\na: ok null'],
  ])('judges a %s by its own promise', (model, kept, broken) => {
    const eventsOf = (text: string) => formatHistory(written(text))
    expect(run(['check', '-', '--model', model], eventsOf(kept)).stdout).toMatch(/^ok: /u)
    expect(run(['check', '-', '--model', model], eventsOf(broken)).status).toBe(1)
  })

  const unreadable = () => {
    throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' })
  }
  test.each([
    [['check', '-', '--model', 'register'], 'line 1: must be one JSON object', 'nonsense'],
    [['check', '-', '--model', 'queue'], 'a queue knows enqueue, dequeue, got "write"', fine],
    [['check', '-', '--model', 'staleness'], 'needs --bound-ms', fine],
    [['check', '-', '--model', 'staleness', '--bound-ms', 'x'], 'must be a number, got "x"', fine],
    [['check', '-', '--model', 'staleness', '--bound-ms', ' '], '--bound-ms must be a n', fine],
    [['check', '-', '--model', 'staleness', '--bound-ms', '1e999'], 'must be a number', fine],
    [['check', '-', '--model', 'lock', '--max-steps', 'x'], '--max-steps must be a number', fine],
    [
      ['check', '-', '--model', 'toaster'],
      '--model must be one of register, cas-register, counter, queue, lock, ticket, set, ' +
        'unique, ledger, sessions, staleness, causal, got toaster; see ashlar-history --help',
      fine,
    ],
    [['check', '-', '--model', 'register', '--initial', 'x'], '--initial must be JSON', fine],
    [['check', '-'], 'got none', fine],
    [['check'], 'check takes one file, or - for standard input', ''],
    [['draw'], 'draw takes one file, or - for standard input', ''],
    [['check', 'a', 'b', '--model', 'lock'], 'check takes one file', ''],
    [['judge', '-'], 'the command must be check or draw, got judge', ''],
    [[], 'the command must be check or draw, got none', ''],
    [['check', '-', '--modle', 'lock'], '--modle', ''],
  ])('exits 2 for bad input: %s %s', (args, message, input) => {
    const { status, stdout, stderr } = run(args, input)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^ashlar-history: .+\n$/u)
    expect(stderr).toContain(message)
  })

  test('exits 2 for a file that cannot be read, and hides no other fault', () => {
    const args = ['check', 'missing', '--model', 'lock']
    expect(run(args, '', unreadable)).toEqual({
      status: 2,
      stdout: '',
      stderr: 'ashlar-history: ENOENT: no such file\n',
    })
    const failing = (fault: unknown) => () => {
      throw fault
    }
    for (const fault of [
      new Error('plain'),
      Object.assign(new Error('half'), { code: 'E' }),
      Object.assign(new Error('half'), { syscall: 'open' }),
      { code: 'E', syscall: 'open' },
    ]) {
      expect(() => run(args, '', failing(fault))).toThrow()
    }
  })
})

test('ashlar-history draw draws a history', () => {
  expect(run(['draw', '-'], fine)).toEqual({
    status: 0,
    stdout: 'a  ├─ write x 1 ─┤\nb                 ├─ read x → 1 ─┤\n',
    stderr: '',
  })
})

const HELP = [
  'Judges a history of JSON lines: what clients invoked and what came of it.',
  '',
  '  ashlar-history check FILE --model NAME [options]',
  '  ashlar-history draw FILE',
  '',
  'FILE is - for standard input. A line:',
  '  {"id":1,"type":"invoke","process":"a","f":"write","key":"x","value":3,"time":0}',
  'type is invoke, ok, fail (did not happen) or info (nobody knows); time is in milliseconds.',
  '',
  'Models (linearizability, key by key) and other checkers:',
  '  register      read, write',
  '  cas-register  read, write, cas [expected, next]',
  '  counter       add, read',
  '  queue         enqueue, dequeue (null: empty)',
  '  lock          acquire, release',
  '  ticket        take',
  '  set           add, remove, has, read',
  '  unique        no id given out twice',
  '  ledger        insert against read or deliver: lost, duplicate, phantom, misplaced, reordered',
  '  sessions      read your writes, monotonic reads and writes, writes follow reads',
  '  staleness     reads return what was current within --bound-ms',
  '  causal        no read against the order of sessions and of who read from whom',
  '',
  'Options:',
  '  --json           print the verdict as JSON',
  '  --bound-ms N     staleness: how many milliseconds a read may look back',
  '  --initial JSON   the value before the first write; default null',
  '  --max-steps N    linearizability: steps per key before giving up; default 20000000',
  '',
  'Exit code: 0 kept, 1 broken, 2 bad input, 3 gave up.',
  '',
].join('\n')

test.each([[['--help']], [['-h']], [['help']], [['check', '-', '--help']]])(
  'ashlar-history %s lists every model and exits 0',
  (args) => {
    expect(run(args)).toEqual({ status: 0, stdout: HELP, stderr: '' })
  },
)

test('every model that --help lists stands in the README', () => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
  const names = [...HELP.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gmu)].map(([, name]) => name)
  expect(names).toHaveLength(12)
  for (const name of names) expect(readme).toContain(`\`${name}\``)
  for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})
