import { expect, test } from 'vitest'
import { RetryBudget } from '../src/index.ts'
import { codeThrownBy } from './outcome.ts'
import { VirtualTime } from './virtual-time.ts'

function grants(budget: RetryBudget, asked: number): number {
  return Array.from({ length: asked }, () => budget.tryRetry()).filter(Boolean).length
}

function record(budget: RetryBudget, calls: number): void {
  for (let i = 0; i < calls; i++) budget.recordCall()
}

test('grants one retry for five calls', () => {
  const budget = new RetryBudget(new VirtualTime().env)
  record(budget, 100)
  expect(grants(budget, 50)).toBe(20)
  expect(budget.counts()).toEqual({ calls: 100, retries: 20, refused: 30 })
})

test('grants three retries however few calls there are', () => {
  expect(grants(new RetryBudget(new VirtualTime().env), 50)).toBe(3)
})

test('grants as many again after a window, and forgets the calls of before', () => {
  const time = new VirtualTime()
  const budget = new RetryBudget(time.env)
  record(budget, 100)
  expect(grants(budget, 50)).toBe(20)
  time.time = 9_000
  expect(grants(budget, 50)).toBe(0)
  time.time = 11_000
  expect(budget.counts()).toEqual({ calls: 0, retries: 0, refused: 80 })
  expect(grants(budget, 50)).toBe(3)
})

test('an idle day empties the window', () => {
  const time = new VirtualTime()
  const budget = new RetryBudget(time.env)
  record(budget, 1000)
  time.time = 86_400_000
  expect(budget.counts()).toEqual({ calls: 0, retries: 0, refused: 0 })
})

test('a clock that stands or goes back does no harm', () => {
  const time = new VirtualTime()
  time.time = 50_000
  const budget = new RetryBudget(time.env)
  record(budget, 100)
  time.time = 10_000
  expect(grants(budget, 50)).toBe(20)
  time.time = 50_000
  expect(grants(budget, 50)).toBe(0)
})

test('reads the clock for few of the calls', () => {
  let readings = 0
  const budget = new RetryBudget({ monotonic: () => ++readings })
  record(budget, 1600)
  expect(readings).toBe(101)
})

test('uses the clock of the platform by default', () => {
  expect(grants(new RetryBudget(), 5)).toBe(3)
})

test.each([
  { rate: -0.1 },
  { rate: 1.1 },
  { rate: Number.NaN },
  { minRetries: -1 },
  { minRetries: 0.5 },
  { windowMs: 0 },
  { windowMs: Number.POSITIVE_INFINITY },
  { monotonic: () => Number.NaN },
])('refuses %o', (options) => {
  expect(codeThrownBy(() => new RetryBudget(options))).toBe('INVALID_OPTION')
})

test('refuses a clock that stops being one', () => {
  const time = new VirtualTime()
  const budget = new RetryBudget(time.env)
  time.time = Number.NaN
  expect(() => budget.tryRetry()).toThrow('monotonic must return a finite number')
})
