import {
  formatHistory,
  HistoryError,
  type HistoryEvent,
  operationsOf,
  parseHistory,
} from '@ashlar/history'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

const invoke: HistoryEvent = { id: 1, type: 'invoke', process: 'a', f: 'read', time: 0 }
const ok: HistoryEvent = { ...invoke, type: 'ok', value: 3, time: 1 }
const text = (...events: unknown[]) => events.map((event) => JSON.stringify(event)).join('\n')
const refusal = (act: () => unknown): HistoryError => {
  try {
    act()
  } catch (error) {
    if (error instanceof HistoryError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const events = fc
  .array(
    fc.record(
      {
        process: fc.constantFrom('a', '', '__proto__', 'constructor', 'é\ud800', 'b\nc'),
        f: fc.string(),
        key: fc.option(fc.constantFrom('', '__proto__', 'x'), { nil: undefined }),
        value: fc.option(fc.jsonValue(), { nil: undefined }),
        result: fc.option(fc.jsonValue(), { nil: undefined }),
        end: fc.constantFrom('ok', 'fail', 'info', undefined),
        node: fc.option(fc.string(), { nil: undefined }),
        version: fc.option(fc.integer(), { nil: undefined }),
      },
      { requiredKeys: ['process', 'f', 'end'] },
    ),
    { maxLength: 20 },
  )
  .map((operations) =>
    operations.flatMap(({ end, result, value, version, node, ...what }, id) => {
      const bare = JSON.parse(JSON.stringify({ ...what, id, time: id, node })) as HistoryEvent
      const begin = { ...bare, type: 'invoke', value } as HistoryEvent
      const finish = { ...bare, type: end, value: result, version } as HistoryEvent
      return JSON.parse(JSON.stringify(end ? [begin, finish] : [begin])) as HistoryEvent[]
    }),
  )

property.prop([events])('what is formatted is parsed to the same history', (history) => {
  expect(parseHistory(formatHistory(history))).toEqual(history)
})

test('blank lines and carriage returns are skipped, unknown fields left out', () => {
  const lines = `\n${text({ ...invoke, note: 'x' })}\r\n \t\n${text(ok)}\n\n`
  expect(parseHistory(lines)).toStrictEqual([invoke, ok])
  expect(parseHistory('')).toEqual([])
})

describe('a line that is refused is named by its number', () => {
  test.each([
    [
      'ERR_HISTORY_LINE',
      '{"id":1',
      'line 3: must be one JSON object, as in {"id":1,"type":"invoke","process":"a","f":"read","t',
    ],
    ['ERR_HISTORY_LINE', '{"id":1', '"time":0}; Expected'],
    ['ERR_HISTORY_LINE', '[1]', 'line 3: an event must be an object'],
    ['ERR_HISTORY_LINE', 'null', 'got null'],
    ['ERR_HISTORY_TYPE', text({ ...invoke, id: 2, type: 'done' }), 'type must be one of invoke'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: 1.5 }), 'id must be a safe integer, got 1.5'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: '2' }), 'id must be a safe integer, got "2"'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: 2, process: 7 }), 'process must be a string'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: 2, f: undefined }), 'f must be a string, got n'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: 2, key: 7 }), 'key must be a string or left out'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: 2, node: 7 }), 'node must be a string or left'],
    ['ERR_HISTORY_EVENT', text({ ...invoke, id: 2, time: null }), 'time must be a finite number'],
    [
      'ERR_HISTORY_TIME',
      text({ ...invoke, id: 2, time: -1 }),
      'line 3: time goes back from 0 to -1 ms',
    ],
    ['ERR_HISTORY_ID', text(invoke), 'id 1 is used by an earlier operation'],
    ['ERR_HISTORY_NO_INVOKE', text({ ...ok, id: 9 }), 'ok of operation 9, never invoked'],
    ['ERR_HISTORY_MISMATCH', text({ ...ok, process: 'b' }), 'has process "b", its invocation has'],
    ['ERR_HISTORY_MISMATCH', text({ ...ok, f: 'write' }), 'has f "write"'],
    ['ERR_HISTORY_MISMATCH', text({ ...ok, key: 'x' }), 'has key "x", its invocation has none'],
  ])('%s: %s', (code, line, message) => {
    const error = refusal(() => parseHistory(`\n${text(invoke)}\n${line}\n`))
    expect(error).toMatchObject({ code, line: 3, name: 'HistoryError' })
    expect(error.message).toContain(message)
  })

  test('two completions of one operation', () => {
    const error = refusal(() => parseHistory(text(invoke, ok, { ...ok, type: 'info' })))
    expect(error).toMatchObject({ code: 'ERR_HISTORY_COMPLETED_TWICE', line: 3 })
  })
})

describe('the operations of an array', () => {
  test('are invocations paired with what came of them', () => {
    const open = { ...invoke, id: 2, key: 'x', value: [1] }
    expect(operationsOf([invoke, open, ok])).toMatchObject([
      { id: 1, outcome: 'ok', argument: undefined, result: 3, invokedAt: 0, completedAt: 2 },
      { id: 2, outcome: 'info', key: 'x', argument: [1], completedAt: Number.POSITIVE_INFINITY },
    ])
  })

  test('have a result only if they ended in ok', () => {
    const [failed] = operationsOf([invoke, { ...ok, type: 'fail' }])
    expect(failed).toMatchObject({ outcome: 'fail', result: undefined, completedAt: 1 })
    const [unknown] = operationsOf([invoke, { ...ok, type: 'info' }])
    expect(unknown).toMatchObject({ outcome: 'info', result: undefined, completedAt: 1 })
  })

  test('may leave the key out of a completion', () => {
    expect(operationsOf([{ ...invoke, key: 'x' }, ok])).toMatchObject([{ key: 'x', result: 3 }])
  })

  test('are refused with the position in place of a line', () => {
    const error = refusal(() => operationsOf([invoke, ok, ok]))
    expect(error.message).toContain('event 2: operation 1 has completed before')
    expect(error.line).toBeUndefined()
    expect(refusal(() => operationsOf([null as never])).code).toBe('ERR_HISTORY_EVENT')
  })

  test('overlap in a process only where sessions are not asked for', () => {
    const overlapping = [invoke, { ...invoke, id: 2 }]
    expect(operationsOf(overlapping)).toHaveLength(2)
    const error = refusal(() => operationsOf(overlapping, { sequential: true }))
    expect(error.code).toBe('ERR_HISTORY_OVERLAP')
    expect(error.message).toBe(
      'event 1: process "a" begins operation 2 before operation 1 has completed; ' +
        'give each client a process of its own',
    )
    const info = { ...ok, type: 'info' } as const
    expect(
      operationsOf([invoke, info, { ...invoke, id: 2, time: 1 }], { sequential: true }),
    ).toHaveLength(2)
  })
})
