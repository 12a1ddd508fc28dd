import { checkStaleness, type HistoryEvent, operationsOf } from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { written } from './oracles/notation.ts'

const text = `@0 a: write x 1
  @10 a: ok
  @20 a: write x 2
  @30 a: ok
  @100 b: read x
  @110 b: ok 1`

describe('a read', () => {
  const kinds = (of: string, boundMs: number) =>
    checkStaleness(written(of), { boundMs }).violations.map(({ kind }) => kind)

  test('may look back as far as the bound, and not one millisecond more', () => {
    expect(kinds(text, 70)).toEqual([])
    const { violations } = checkStaleness(written(text), { boundMs: 69 })
    expect(violations).toMatchObject([{ kind: 'stale-read', key: 'x', isSmallest: true }])
    expect(violations[0]!.history).toEqual(written(text))
    expect(violations[0]!.message).toContain('had overwritten 70 ms before, more than 69 ms')
  })

  test('with a bound of 0 may see what is written while it runs, and nothing older', () => {
    expect(kinds('a: write x 1\na: ok\nb: read x\nb: ok null', 0)).toEqual(['stale-read'])
    expect(kinds('a: write x 1\nb: read x\na: ok\nb: ok null', 0)).toEqual([])
    expect(kinds('b: read x\na: write x 1\nb: ok 1', 0)).toEqual([])
    expect(kinds('@5 a: write x 1\n@5 a: ok\n@5 b: read x\n@5 b: ok null', 0)).toEqual([
      'stale-read',
    ])
  })

  test('cannot see what is written later, or never', () => {
    expect(kinds('b: read x\nb: ok 1\na: write x 1\na: ok', 1000)).toEqual(['future-read'])
    expect(kinds('b: read x\nb: ok 1', 1000)).toEqual(['thin-air-read'])
  })

  test('of a write of unknown outcome is never too old', () => {
    expect(kinds('a: write x 1\na: info\na: write x 2\na: ok\nb: read x\nb: ok 1', 0)).toEqual([])
  })
})

test('a verdict counts the reads that returned, from thin air or not, of every key', () => {
  const more = `${text}\n@120 b: read y\n@121 b: ok 9\n@122 c: read x\n@123 c: info`
  const again = `${more}\n@130 d: read x\n@131 d: ok 2\n@132 d: read y\n@133 d: ok null`
  expect(checkStaleness(written(again), { boundMs: 100 }).operations).toBe(4)
})

test('a bound must be a number from 0 up, and values must tell writes apart', () => {
  const refused = (code: string) => expect.objectContaining({ code: `ERR_HISTORY_${code}` })
  expect(() => checkStaleness([], { boundMs: -1 })).toThrow(refused('OPTION'))
  expect(() => checkStaleness([], { boundMs: Number.NaN })).toThrow(refused('OPTION'))
  expect(() => checkStaleness([], { boundMs: -1 })).toThrow(
    'boundMs must be 0 or more milliseconds, got -1',
  )
  const twice = written('a: write x 1\na: ok\na: write x 1\na: ok')
  expect(() => checkStaleness(twice, { boundMs: 0 })).toThrow(refused('VALUE'))
})

/**
 * The definition: some moment of the window (a gap between two events), some set of writes that
 * have happened by then, and some order of these that keeps real time, have the value current.
 */
function badReads(history: readonly HistoryEvent[], boundMs: number): number[] {
  const all = operationsOf(history)
  return all.flatMap((read) => {
    if (read.f !== 'read' || read.outcome !== 'ok') return []
    const writes = all.filter((w) => w.f === 'write' && w.key === read.key && w.outcome !== 'fail')
    const isOk = history.some((_, gap) => {
      // The moments of gap i lie after event i and before event i + 1.
      const ends = history[gap + 1]?.time ?? Number.POSITIVE_INFINITY
      const isIn = boundMs === 0 ? gap >= read.invokedAt : ends >= read.invocation.time - boundMs
      return isIn && gap < read.completedAt && mayBeCurrent(writes, gap, read.result)
    })
    const isInitial = read.result === null && boundMs > 0 && mayBeBefore(read, boundMs)
    return isOk || isInitial ? [] : [read.id]
  })

  function mayBeBefore(read: ReturnType<typeof operationsOf>[0], bound: number): boolean {
    return history[0]!.time >= read.invocation.time - bound
  }
}

function mayBeCurrent(
  writes: ReturnType<typeof operationsOf>,
  gap: number,
  value: unknown,
): boolean {
  return subsets(writes).some((happened) => {
    const fits = writes.every((w) => {
      const must = w.outcome === 'ok' && w.completedAt <= gap
      return happened.includes(w) ? w.invokedAt <= gap : !must
    })
    if (!fits || happened.length === 0) return fits && value === null
    return happened.some((last) => {
      const isLast = happened.every((w) => w.invokedAt < last.completedAt || last.outcome !== 'ok')
      return isLast && last.argument === value
    })
  })
}

function subsets<T>(of: readonly T[]): T[][] {
  const [first, ...rest] = of
  return first === undefined ? [[]] : subsets(rest).flatMap((some) => [some, [first, ...some]])
}

describe('bounded staleness', () => {
  const histories = Array.from({ length: 1200 }, (_, seed) => {
    const chance = new Chance(seed)
    const writes = new Map<string, number[]>()
    const intent = (id: number) => {
      const key = chance.pick(['x', 'constructor'])
      const before = writes.get(key) ?? []
      if (chance.below(2) === 0 && before.length < 4) {
        writes.set(key, [...before, id])
        return { f: 'write', key, argument: id }
      }
      return { f: 'read', key, result: chance.pick([null, ...before, id + 1]) }
    }
    return clientsHistory(chance, { clients: 3, count: 12, intent })
  })
  const found = (history: readonly HistoryEvent[], boundMs: number) =>
    checkStaleness(history, { boundMs }).violations.map(({ message }) =>
      Number(/read [^(]*\(id (\d+)\)/u.exec(message)![1]),
    )

  test.each([0, 5, 15])('of %s ms is judged as its definition says', (boundMs) => {
    const answers = new Set<boolean>()
    for (const history of histories) {
      const bad = badReads(history, boundMs)
      expect(found(history, boundMs).sort()).toEqual(bad.sort())
      answers.add(bad.length > 0)
    }
    expect(answers.size).toBe(2)
  })

  test('is not what a checker says that orders writes by their beginnings', () => {
    const broken = (history: readonly HistoryEvent[]) =>
      operationsOf(history).filter((read) => {
        if (read.f !== 'read' || read.outcome !== 'ok') return false
        const before = operationsOf(history).filter(
          (w) => w.f === 'write' && w.key === read.key && w.invokedAt < read.invokedAt,
        )
        return read.result !== (before.at(-1)?.argument ?? null)
      }).length
    expect(histories.some((h) => broken(h) !== badReads(h, 0).length)).toBe(true)
  })

  test('is broken by each explanation, and by nothing less', () => {
    for (const history of histories.slice(0, 300)) {
      for (const { message, history: shown } of checkStaleness(history, { boundMs: 5 })
        .violations) {
        const shows = (events: readonly HistoryEvent[]) =>
          checkStaleness(events, { boundMs: 5 }).violations.some((v) => v.message === message)
        expect(shows(shown)).toBe(true)
        for (const { id } of shown) {
          expect(shows(shown.filter((event) => event.id !== id))).toBe(false)
        }
      }
    }
  })
})
