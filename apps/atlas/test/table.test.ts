import { describe, expect, test } from 'vitest'
import { tableLines } from '../src/table.ts'

describe('a table', () => {
  test('aligns its columns, numbers to the right, without trailing blanks', () => {
    const columns = [{ head: 'node' }, { head: 'cities', align: 'right' as const }, { head: 'z' }]
    const rows = [
      ['jade', '7', 'east'],
      ['limestone', '12,345', ''],
    ]
    expect(tableLines(columns, rows)).toEqual([
      'node       cities  z',
      '─────────  ──────  ────',
      'jade            7  east',
      'limestone  12,345',
    ])
  })

  test('cuts a cell that is too long, by code points', () => {
    const [, , line] = tableLines([{ head: 'city', width: 5 }], [['São💎 Paulo']])
    expect(line).toBe('São💎…')
  })

  test('of no rows is its head', () => {
    expect(tableLines([{ head: 'a' }, { head: 'b' }], [])).toEqual(['a  b', '─  ─'])
  })
})
