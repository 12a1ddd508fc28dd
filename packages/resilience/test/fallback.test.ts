import { expect, test } from 'vitest'
import { fallback } from '../src/index.ts'
import { codeThrownBy } from './outcome.ts'
import { testPolicyLaws } from './policy-laws.ts'

testPolicyLaws('fallback that answers nothing', () => fallback(refuse, { when: () => false }))

function refuse(): never {
  throw new Error('not asked')
}

const broken = () => Promise.reject(new Error('broken'))

test('answers a failed call, with the error and the context at hand', async () => {
  const policy = fallback((error, ctx) => `${(error as Error).message}, attempt ${ctx.attempt}`)
  expect(await policy(broken, { attempt: 2 })).toBe('broken, attempt 2')
})

test('does not touch a success', async () => {
  expect(await fallback(() => 'other')(() => 'own')).toBe('own')
})

test('waits for an answer that is a promise', async () => {
  expect(await fallback(async () => 'later')(broken)).toBe('later')
})

test('answers only the errors that it is for', async () => {
  const policy = fallback(() => 'ok', { when: (error) => error instanceof RangeError })
  expect(await policy(() => Promise.reject(new RangeError()))).toBe('ok')
  await expect(policy(broken)).rejects.toThrow('broken')
})

test('rejects with the error of an answer that fails', async () => {
  const throws = fallback(() => {
    throw new Error('no cache')
  })
  await expect(throws(broken)).rejects.toThrow('no cache')
})

test('gives no answer to a caller who has gone', async () => {
  const caller = new AbortController()
  const promise = fallback(() => 'stale')(
    () => {
      caller.abort('gone')
      return Promise.reject(caller.signal.reason)
    },
    { signal: caller.signal },
  )
  await expect(promise).rejects.toBe('gone')
})

test('refuses what is no function', () => {
  // @ts-expect-error a value is not a function that returns it
  expect(codeThrownBy(() => fallback('value'))).toBe('INVALID_OPTION')
  // @ts-expect-error nor is a class of errors a predicate's answer
  expect(codeThrownBy(() => fallback(() => 1, { when: true }))).toBe('INVALID_OPTION')
})
