import {
  checkCausal,
  checkLedger,
  checkLinearizable,
  checkSessions,
  checkStaleness,
  checkUnique,
  drawTimeline,
  formatHistory,
  parseHistory,
  register,
} from '@ashlar/history'
import { expect, test } from 'vitest'
import { written } from './oracles/notation.ts'

const history = written(`a: write x 1
  a: ok
  b: read x
  b: ok null`)

test('histories are parsed, judged and drawn in a browser', () => {
  expect(parseHistory(formatHistory(history))).toEqual(history)
  const { ok, violations } = checkLinearizable(history, register())
  expect(ok).toBe(false)
  expect(drawTimeline(violations[0]!.history)).toBe(
    'a  ├─ write x 1 ─┤\nb                 ├─ read x → null ─┤\n',
  )
  expect(checkStaleness(history, { boundMs: 0 }).ok).toBe(false)
  expect(checkSessions(history).ok).toBe(true)
  expect(checkCausal(history).ok).toBe(true)
  expect(checkUnique(history, { f: 'read' }).ok).toBe(true)
  expect(checkLedger(written('a: insert x 1\na: ok\nb: read x\nb: ok []')).ok).toBe(false)
})
