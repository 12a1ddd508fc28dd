import {
  checkSessions,
  type HistoryEvent,
  operationsOf,
  type SessionGuarantee,
} from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { written } from './oracles/notation.ts'

const kinds = (text: string, options = {}) =>
  checkSessions(written(text), options).violations.map(({ kind }) => kind)

describe('with versions', () => {
  test.each([
    ['read-your-writes', 'a: write x 1\na: ok v7\na: read x\na: ok 0 v6'],
    ['monotonic-reads', 'a: read x\na: ok 1 v7\na: read x\na: ok 0 v6'],
    ['monotonic-writes', 'a: write x 1\na: ok v7\na: write x 2\na: ok v6'],
    ['writes-follow-reads', 'a: read x\na: ok 1 v7\na: write x 2\na: ok v6'],
    ['monotonic-reads', 'a: read x\na: ok 1 v"b"\na: read x\na: ok 0 v"a"'],
    ['monotonic-reads', 'a: read x\na: ok 1 v0\na: read x\na: ok null vnull'],
  ])('%s is broken by the older version', (kind, text) => {
    const { violations, ok } = checkSessions(written(text))
    expect(ok).toBe(false)
    expect(violations.map((violation) => violation.kind)).toEqual([kind])
    expect(violations[0]!.history).toEqual(written(text))
    const others = [
      'read-your-writes',
      'monotonic-reads',
      'monotonic-writes',
      'writes-follow-reads',
    ].filter((other) => other !== kind) as SessionGuarantee[]
    expect(kinds(text, { guarantees: others })).toEqual([])
  })

  test('the same or a newer version, another key or another session breaks nothing', () => {
    expect(kinds('a: write x 1\na: ok v7\na: read x\na: ok 1 v7\na: read x\na: ok 2 v8')).toEqual(
      [],
    )
    expect(kinds('a: write x 1\na: ok v7\na: read y\na: ok 1 v1')).toEqual([])
    expect(kinds('a: write x 1\na: ok v7\nb: read x\nb: ok 1 v1')).toEqual([])
    expect(kinds('a: write x 1\na: info\na: read x\na: ok 1 v1')).toEqual([])
  })

  test('null is older than every other, whatever these are', () => {
    for (const [older, newer] of [
      ['-7', '-5'],
      ['"a"', '"b"'],
    ]) {
      const reads = (...versions: string[]) =>
        versions.map((version) => `a: read x\na: ok 0 v${version}`).join('\n')
      expect(kinds(reads('null', older!, newer!))).toEqual([])
      expect(kinds(reads('null', 'null'))).toEqual([])
      expect(kinds(reads(newer!, 'null'))).toEqual(['monotonic-reads'])
      expect(kinds(reads('null', older!, 'null'))).toEqual(['monotonic-reads'])
      expect(kinds(reads(newer!, 'null', older!))).toEqual(['monotonic-reads', 'monotonic-reads'])
      expect(kinds(reads(newer!, older!, older!))).toHaveLength(2)
    }
  })

  test('count every ok of every key', () => {
    const text = 'a: write x 1\na: ok v1\nb: read y\nb: ok 2 v3\nc: read x\nc: info'
    expect(checkSessions(written(text)).operations).toBe(2)
  })

  test('that are refused are shown', () => {
    expect(() => kinds('a: read x\na: ok 1 v[7]')).toThrow(
      'operation 0: version must be a finite number, a string or null, on every ok of a key ' +
        'and of one type, got [7]',
    )
    expect(() => kinds('a: read x\na: ok 1 v7\nb: write x 2\nb: ok')).toThrow('got nothing')
  })

  test('must be on every ok of the key, and compare', () => {
    const refused = expect.objectContaining({ code: 'ERR_HISTORY_VERSION' })
    expect(() => kinds('a: read x\na: ok 1 v7\na: read x\na: ok 1')).toThrow(refused)
    expect(() => kinds('a: read x\na: ok 1 v7\na: read x\na: ok 1 v"7"')).toThrow(refused)
    expect(() => kinds('a: read x\na: ok 1 v[7]')).toThrow(refused)
  })
})

describe('without versions', () => {
  const setting = 'w: write x 1\nw: ok\nw: write x 2\nw: ok\n'

  test('the order of writes that do not overlap is the order of versions', () => {
    const goesBack = `${setting}r: read x\nr: ok 2\nr: read x\nr: ok 1`
    const { violations } = checkSessions(written(goesBack))
    expect(violations.map(({ kind }) => kind)).toEqual(['monotonic-reads'])
    expect(violations[0]!.history).toEqual(written(goesBack))
    expect(kinds(`${setting}w: read x\nw: ok 1`)).toEqual(['read-your-writes'])
    expect(kinds(`${setting}w: read x\nw: ok null`)).toEqual(['read-your-writes'])
    expect(kinds(`${setting}w: read x\nw: ok 0`, { initial: 0 })).toEqual(['read-your-writes'])
  })

  test('writes that overlap are not compared', () => {
    const together = 'a: write x 1\nb: write x 2\na: ok\nb: ok\n'
    expect(kinds(`${together}r: read x\nr: ok 2\nr: read x\nr: ok 1\nr: read x\nr: ok 2`)).toEqual(
      [],
    )
  })

  test('a value that nobody wrote is out of thin air, a value written twice is refused', () => {
    expect(kinds('a: read x\na: ok 9')).toEqual(['thin-air-read'])
    expect(kinds('a: write x 9\na: fail\na: read x\na: ok 9')).toEqual(['thin-air-read'])
    const refused = expect.objectContaining({ code: 'ERR_HISTORY_VALUE' })
    expect(() => kinds('a: write x 1\na: ok\na: write x 1\na: ok')).toThrow(refused)
    expect(() => kinds('a: write x null\na: ok')).toThrow(refused)
  })
})

test('what cannot be judged is refused', () => {
  const code = (name: string) => expect.objectContaining({ code: `ERR_HISTORY_${name}` })
  const overlapping = written('a: read x\nb: read x').map((event) => ({ ...event, process: 'a' }))
  expect(() => checkSessions(overlapping)).toThrow(code('OVERLAP'))
  expect(() => kinds('a: cas x [1,2]\na: ok')).toThrow(code('OPERATION'))
  const guarantees = ['monotone' as SessionGuarantee]
  expect(() => checkSessions([], { guarantees })).toThrow(code('OPTION'))
  expect(() => checkSessions([], { guarantees })).toThrow(
    'guarantees must be among read-your-writes, monotonic-reads, monotonic-writes, ' +
      'writes-follow-reads, got "monotone"',
  )
  expect(() => kinds('a: write x 1\na: ok v1\nb: cas x [1,2]\nb: ok v2')).toThrow(
    'operation 1: this checker knows read and write, got "cas"',
  )
  expect(() => kinds('a: write x 1\na: ok\nb: write x 1\nb: ok')).toThrow(
    'operation 1: 1 is written twice; write each value once to a key',
  )
  expect(() => kinds('b: write x null\nb: ok')).toThrow(
    'operation 0: null is the initial value; write each value once to a key',
  )
})

/** Every pair of one session and key, by the definitions; says `kind id`. */
function byDefinition(history: readonly HistoryEvent[], versioned: boolean): string[] {
  const oks = operationsOf(history).filter(({ outcome }) => outcome === 'ok')
  const all = operationsOf(history).filter(({ outcome }) => outcome !== 'fail')
  const writeOf = (op: (typeof oks)[0]) =>
    op.f === 'write'
      ? op
      : all.find((w) => w.f === 'write' && w.key === op.key && w.argument === op.result)
  const isOlder = (a: (typeof oks)[0], b: (typeof oks)[0]): boolean => {
    if (versioned) return Number(a.completion!.version) < Number(b.completion!.version)
    const [wa, wb] = [writeOf(a), writeOf(b)]
    const isThinAir = (op: (typeof oks)[0]) => op.f === 'read' && op.result !== null && !writeOf(op)
    if (wb === undefined || isThinAir(a)) return false
    return wa === undefined || (wa.outcome === 'ok' && wa.completedAt < wb.invokedAt)
  }
  return oks.flatMap((later) => {
    const kindsOf = oks
      .filter((op) => op.process === later.process && op.key === later.key)
      .filter((op) => op.invokedAt < later.invokedAt && isOlder(later, op))
      .map((op) => {
        if (later.f === 'read') return op.f === 'write' ? 'read-your-writes' : 'monotonic-reads'
        return op.f === 'write' ? 'monotonic-writes' : 'writes-follow-reads'
      })
    return [...new Set(kindsOf)].map((kind) => `${kind} ${later.id}`)
  })
}

describe.each([true, false])('session guarantees, versions %s,', (versioned) => {
  const histories = Array.from({ length: 1500 }, (_, seed) => {
    const chance = new Chance(seed)
    const writes = new Map<string, number[]>()
    const intent = (id: number) => {
      const key = chance.pick(['x', '__proto__'])
      const before = writes.get(key) ?? []
      const version = versioned ? { version: chance.below(20) } : {}
      if (chance.below(2) === 0) {
        writes.set(key, [...before, id])
        return { f: 'write', key, argument: id, ...version }
      }
      return { f: 'read', key, result: chance.pick([null, ...before]), ...version }
    }
    const history = clientsHistory(chance, { clients: 3, count: 14, intent })
    return history
  })
  const found = (history: readonly HistoryEvent[]) =>
    checkSessions(history).violations.flatMap(({ kind, message }) => {
      const id = /\(id (\d+)\) is older/u.exec(message)?.[1]
      return id === undefined ? [] : [`${kind} ${id}`]
    })

  test('are judged as their definitions say', () => {
    const counts = new Map<string, number>()
    for (const history of histories) {
      expect(found(history).sort()).toEqual(byDefinition(history, versioned).sort())
      for (const what of found(history)) {
        const kind = what.split(' ')[0]!
        counts.set(kind, (counts.get(kind) ?? 0) + 1)
      }
    }
    expect(counts.size).toBe(versioned ? 4 : 2)
    for (const count of counts.values()) expect(count).toBeGreaterThan(histories.length / 30)
  })

  test('are broken by each explanation, and by nothing less', () => {
    for (const history of histories.slice(0, 300)) {
      for (const { kind, message, history: shown } of checkSessions(history).violations) {
        const shows = (events: readonly HistoryEvent[]) =>
          checkSessions(events).violations.some(
            (other) => other.kind === kind && other.message === message,
          )
        expect(shows(shown)).toBe(true)
        for (const { id } of shown) {
          expect(shows(shown.filter((event) => event.id !== id))).toBe(false)
        }
      }
    }
  })

  test('are not those of a checker that forgets what a session wrote', () => {
    const broken = (history: readonly HistoryEvent[]) =>
      found(history).filter((what) => !what.startsWith('read-your-writes'))
    const caught = histories.some(
      (history) =>
        String(broken(history).sort()) !== String(byDefinition(history, versioned).sort()),
    )
    expect(caught).toBe(true)
  })

  test('are not those of a checker that looks at the last operation only', () => {
    const broken = (history: readonly HistoryEvent[]) => {
      const last = new Map<string, number>()
      return operationsOf(history)
        .filter(({ outcome }) => outcome === 'ok')
        .filter(({ process, key, completion }) => {
          const at = `${process} ${key}`
          const before = last.get(at) ?? -1
          last.set(at, Number(completion!.version))
          return Number(completion!.version) < before
        }).length
    }
    const differs = histories.some((history) => {
      const ids = new Set(byDefinition(history, versioned).map((what) => what.split(' ')[1]))
      return broken(history) !== ids.size
    })
    expect(differs).toBe(true)
  })
})
