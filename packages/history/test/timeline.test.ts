import { drawTimeline, type HistoryEvent } from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { written } from './oracles/notation.ts'

/** A picture in a test, without the indentation and the `|` that keeps its left edge. */
const picture = (text: string) => text.replace(/^ *\| ?/gmu, '').replace(/^\n| *$/gu, '')

describe('a timeline', () => {
  test('shows processes as rows and operations as bars, in the order of real time', () => {
    const history = written(`a: write x 1
      b: write x 2
      a: ok
      a: read x
      b: info
      c: read x
      c: ok 2
      a: ok 1
      d: cas x [1,2]
      b: write y 3
      d: fail`)
    expect(drawTimeline(history)).toBe(
      picture(`
        | a  ├─ write x 1 ─┤ ├─ read x → 1 ────┤
        | b   ├─ write x 2 ───?                  ├─ write y 3 ───?
        | c                    ├─ read x → 2 ─┤
        | d                                     ├─ cas x [1,2] ─✗
        `),
    )
  })

  test('goes on below where it is too wide, with whole labels', () => {
    const history = written(`a: write question 1
      a: ok
      b: read question
      b: ok 1
      b: write answer 2
      b: ok
      c: read answer
      c: ok 2
      c: read question
      c: ok null`)
    expect(drawTimeline(history, { columns: 60 })).toBe(
      picture(`
        | a  ├─ write question 1 ─┤
        | b                        ├─ read question → 1 ─┤
        |
        | b  ├─ write answer 2 ─┤
        | c                      ├─ read answer → 2 ─┤
        |
        | c  ├─ read question → null ─┤
        `),
    )
  })

  test('gives a process that does two things at once two rows', () => {
    const history = written('a: read x\nb: read y\na: ok 1\nb: ok 2')
    const one = history.map((event) => ({ ...event, process: 'a' }))
    expect(drawTimeline(one)).toBe(
      picture(`
        | a  ├─ read x → 1 ─┤
        | a   ├─ read y → 2 ─┤
        `),
    )
  })

  test('shows any name and value on one line, shortened', () => {
    const what = { id: 1, process: 'p\n😀', f: 'write', key: '__proto__', time: 0 }
    const value = 'v'.repeat(200)
    const history: HistoryEvent[] = [
      { ...what, type: 'invoke', value },
      { ...what, type: 'ok' },
    ]
    expect(drawTimeline(history)).toBe(
      picture(String.raw`
        | p\u{a}\u{1f600}  ├─ write __proto__ …vvvvvvvvvvvvvv" ─┤
        `),
    )
  })

  test('leaves room for the label of what never ended', () => {
    const history = written('a: write x 1\nb: write y 2\nb: ok')
    expect(drawTimeline(history)).toBe(
      picture(`
        | a  ├─ write x 1 ───?
        | b   ├─ write y 2 ─┤
        `),
    )
    expect(drawTimeline(written('a: write x "a-longer-value"'))).toBe(
      picture(`
        | a  ├─ write x "a-longer-value" ─?
        `),
    )
  })

  test('shows 32 characters of a label, and nothing that an operation did not return', () => {
    const value = 'v'.repeat(22)
    const history = written(`a: write x "${value}"\na: fail 7\nb: read x\nb: info 7`)
    const drawn = drawTimeline(history)
    expect(drawn).toContain(`─ write x "${value}" ─`)
    expect(drawn).not.toContain('7')
    expect(drawTimeline(written(`a: write x "${value}v"\na: ok`))).toContain('…')
  })

  test('cuts through a label only where it is wider than a line', () => {
    const what = { process: 'a-process-of-16!', time: 0 }
    const value = '123456789012345678901234567890'
    const history: HistoryEvent[] = [
      { ...what, id: 0, type: 'invoke', f: 'write', key: 'x', value },
      { ...what, id: 0, type: 'ok', f: 'write', key: 'x' },
      { ...what, id: 1, type: 'invoke', f: 'read' },
    ]
    expect(drawTimeline(history, { columns: 40 })).toBe(
      [
        'a-process-of-16!  ├─ write x "1234567…78',
        '',
        'a-process-of-16!  901234567890" ─┤',
        '',
        'a-process-of-16!  ├─ read ─?',
        '',
      ].join('\n'),
    )
  })

  test('of nothing is nothing', () => {
    expect(drawTimeline([])).toBe('')
  })

  test.each([39, 40.5, Number.NaN])('has no room in %s columns', (columns) => {
    const refused = expect.objectContaining({ code: 'ERR_HISTORY_OPTION' })
    expect(() => drawTimeline([], { columns })).toThrow(refused)
    expect(() => drawTimeline([], { columns })).toThrow(
      `columns must be an integer, 40 or more, got ${JSON.stringify(columns)}`,
    )
  })

  test('is never wider than asked, and shows every event once, whatever the history', () => {
    for (let seed = 0; seed < 300; seed++) {
      const chance = new Chance(seed)
      const key = chance.pick(['x', 'a key with a rather long name'])
      const intent = (id: number) => ({ f: 'write', key, argument: 'v'.repeat(id), result: id })
      const history = clientsHistory(chance, { clients: 4, count: chance.below(12), intent })
      const columns = 40 + chance.below(80)
      const drawn = drawTimeline(history, { columns })
      for (const line of drawn.split('\n')) expect(line.length).toBeLessThanOrEqual(columns)
      const count = (text: string) => drawn.split(text).length - 1
      const of = (type: string) => history.filter((event) => event.type === type).length
      expect([count('├'), count('┤'), count('✗')]).toEqual([of('invoke'), of('ok'), of('fail')])
      expect(count('?')).toBe(of('invoke') - of('ok') - of('fail'))
    }
  })
})
