// What every policy keeps, whatever it is for: the test of one policy calls this with its own.

import { describe, expect, test } from 'vitest'
import type { Policy } from '../src/index.ts'
import { watch } from './outcome.ts'
import { settle, VirtualTime } from './virtual-time.ts'
import { WatchedAbort } from './watched-abort.ts'

/** A policy on virtual time that neither refuses nor answers a first call that fails. */
export type MakePolicy = (time: VirtualTime) => Policy

/** Tests the laws of all policies. */
export function testPolicyLaws(name: string, make: MakePolicy): void {
  describe(`${name}, as every policy,`, () => {
    test('hands a result through, also of a thenable and of a plain value', async () => {
      const policy = make(new VirtualTime())
      expect(await policy(async () => 1)).toBe(1)
      expect(await policy(() => thenable(Promise.resolve(2)))).toBe(2)
      expect(await policy(() => 3)).toBe(3)
      expect(await policy(() => undefined)).toBe(undefined)
    })

    test.each([
      ['rejected', () => Promise.reject(broken), broken],
      ['thrown', () => thrown(broken), broken],
      ['of a thenable', () => thenable(Promise.reject(broken)), broken],
      ['that is a text', () => thrown('text'), 'text'],
      ['that is undefined', () => thrown(undefined), undefined],
    ])('hands an error through as it is: %s', async (_, call, error) => {
      const time = new VirtualTime()
      const outcome = watch(make(time)<unknown>(call))
      await time.advance(60_000)
      expect(outcome).toMatchObject({ state: 'rejected', settled: 1 })
      expect(outcome.error).toBe(error)
    })

    test('never throws itself', () => {
      const policy = make(new VirtualTime())
      const promise = policy(() => thrown(new Error('now')))
      expect(promise).toBeInstanceOf(Promise)
      watch(promise)
    })

    test('does not begin a call that is aborted already, and says why', async () => {
      const policy = make(new VirtualTime())
      const reason = { why: 'gone' }
      let calls = 0
      const promise = policy(() => ++calls, { signal: AbortSignal.abort(reason) })
      await expect(promise).rejects.toBe(reason)
      expect(calls).toBe(0)
    })

    test('passes the reason of an abort on to the call and back, unchanged', async () => {
      const policy = make(new VirtualTime())
      const caller = new WatchedAbort()
      const reason = { why: 'gone' }
      const outcome = watch(policy(({ signal }) => untilAborted(signal), { signal: caller.signal }))
      await settle()
      caller.abort(reason)
      await settle()
      expect(outcome).toEqual({ state: 'rejected', error: reason, settled: 1 })
    })

    test.each([
      ['succeeds', async () => 1],
      ['fails', async () => thrown(new Error('no'))],
      ['throws', () => thrown(new Error('no'))],
    ])('leaves no timer and no listener behind when a call %s', async (_, call) => {
      const time = new VirtualTime()
      const policy = make(time)
      const caller = new WatchedAbort()
      for (let i = 0; i < 20; i++) {
        watch(policy<number>(call, { signal: caller.signal }))
        await time.advance(60_000)
      }
      expect({ timers: time.pending, listeners: caller.listeners }).toEqual({
        timers: 0,
        listeners: 0,
      })
    })

    test('leaves no timer and no listener behind when the caller aborts', async () => {
      const time = new VirtualTime()
      const policy = make(time)
      for (let i = 0; i < 20; i++) {
        const caller = new WatchedAbort()
        const call = ({ signal }: { signal?: AbortSignal | undefined }) => untilAborted(signal)
        const outcome = watch(policy(call, { signal: caller.signal }))
        await settle()
        caller.abort('gone')
        await settle()
        expect([outcome.state, time.pending, caller.listeners]).toEqual(['rejected', 0, 0])
      }
    })

    test('keeps a rejection visible that nobody handles, exactly one for each call', async () => {
      const seen: unknown[] = []
      const listener = (reason: unknown) => seen.push(reason)
      const others = process.rawListeners('unhandledRejection')
      process.removeAllListeners('unhandledRejection')
      process.on('unhandledRejection', listener)
      try {
        const time = new VirtualTime()
        const policy = make(time)
        const error = new Error('nobody looks')
        policy(() => Promise.reject(error))
        await time.advance(60_000)
        await new Promise((resolve) => setImmediate(resolve))
        expect(seen).toEqual([error])
      } finally {
        process.removeAllListeners('unhandledRejection')
        for (const other of others) {
          process.on('unhandledRejection', other as NodeJS.UnhandledRejectionListener)
        }
      }
    })
  })
}

const broken = new Error('broken', { cause: 'a cause' })

/** As small as a thenable can be: no promise, no catch. */
function thenable<T>(promise: Promise<T>): PromiseLike<T> {
  const method = 'then'
  return Object.create(null, { [method]: { value: promise.then.bind(promise) } })
}

function thrown(error: unknown): never {
  throw error
}

/** Never ends by itself, and listens to its signal as a good call does. */
function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => {
      signal?.removeEventListener('abort', onAbort)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort)
  })
}
