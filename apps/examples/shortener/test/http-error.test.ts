// What goes wrong below, and how the client hears of it.

import { BreakerOpenError } from '@ashlar/breaker'
import { IdError } from '@ashlar/id'
import { PlanConflict, ShardError, ShardFrozen, ShardMoved, StaleEpoch } from '@ashlar/shard'
import { expect, test } from 'vitest'
import { httpErrorOf } from '../src/http-error.ts'
import { isIllness, refusalOf } from '../src/shortener-error.ts'

test.each([
  ['a slot that moves for too long', new ShardFrozen('s1', 7, 3), 503, 'SHARD_MOVING', '1'],
  ['a slot that has moved on', new ShardMoved('s1', 7, 3), 503, 'SHARD_MOVING', '1'],
  ['a map that is behind', new StaleEpoch('s1', 7, 3), 503, 'SHARD_MOVING', '1'],
  ['a lost race', new ShardError('ROLLED_BACK', 'again'), 503, 'SHARD_BUSY', '1'],
  ['silence', new ShardError('UNREACHABLE', 'gone'), 503, 'SHARD_UNAVAILABLE', '1'],
  ['an open breaker', new BreakerOpenError('s1', 4_200), 503, 'SHARD_UNAVAILABLE', '5'],
  ['a clock that went back', clockBack(9_100), 503, 'NO_ID', '10'],
  ['another job', new PlanConflict('one is under way'), 409, 'PLAN_CONFLICT', undefined],
  ['a bug', new TypeError('secret'), 500, 'INTERNAL', undefined],
])('%s becomes an answer', (_, error, status, code, retryAfter) => {
  const answer = httpErrorOf(refusalOf(error))
  expect([answer.status, answer.code, answer.headers['retry-after']]).toEqual([
    ...[status, code],
    retryAfter,
  ])
  expect(answer.message).not.toContain('secret')
})

test('only a shard that does not answer is ill: one that moves opens no breaker', () => {
  expect(isIllness(new ShardError('UNREACHABLE', 'gone'))).toBe(true)
  expect(isIllness(new ShardFrozen('s1', 7, 3))).toBe(false)
  expect(isIllness(new TypeError('a bug'))).toBe(false)
})

function clockBack(waitMs: number): IdError {
  return new IdError('CLOCK_BACKWARDS', 'the clock is back', { waitMs })
}
