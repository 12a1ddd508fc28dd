import { describe, expect, test } from 'vitest'
import { CausalBuffer, VersionVector } from '../src/index.ts'
import { NASTY_IDS } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const of = VersionVector.of

function listener(options: { self?: string; limit?: number; delivered?: VersionVector } = {}) {
  const heard: string[] = []
  const deliver = (message: string) => heard.push(message)
  return { heard, buffer: new CausalBuffer<string>({ deliver, ...options }) }
}

describe('a causal buffer', () => {
  test('holds an answer back until the question is there', () => {
    const anna = new CausalBuffer<string>({ self: 'anna', deliver: () => {} })
    const ben = new CausalBuffer<string>({ self: 'ben', deliver: () => {} })
    const question = anna.send()
    ben.receive('anna', question, 'who?')
    const answer = ben.send()
    const { heard, buffer } = listener()
    expect(buffer.receive('ben', answer, 'me')).toBe(0)
    expect(buffer.size).toBe(1)
    expect(buffer.missing()).toEqual([{ id: 'anna', from: 1, to: 1 }])
    expect(buffer.receive('anna', question, 'who?')).toBe(2)
    expect(heard).toEqual(['who?', 'me'])
    expect(buffer.delivered().toJSON()).toEqual({ anna: 1, ben: 1 })
  })

  test('delivers one sender in the order of sending, each message once', () => {
    const { heard, buffer } = listener()
    const stamps = [1, 2, 3, 4].map((n) => of({ a: n }))
    for (const n of [3, 1, 3, 1, 4, 2, 2]) buffer.receive('a', stamps[n - 1]!, `${n}`)
    expect(heard).toEqual(['1', '2', '3', '4'])
    expect(buffer.size).toBe(0)
    expect(buffer.missing()).toEqual([])
  })

  test('says exactly what it waits for, also where much has arrived in between', () => {
    const { buffer } = listener()
    buffer.receive('a', of({ a: 5, b: 3 }), 'a5')
    buffer.receive('a', of({ a: 3 }), 'a3')
    buffer.receive('c', of({ c: 2, a: 4 }), 'c2')
    expect(buffer.missing()).toEqual([
      { id: 'a', from: 1, to: 2 },
      { id: 'a', from: 4, to: 4 },
      { id: 'b', from: 1, to: 3 },
      { id: 'c', from: 1, to: 1 },
    ])
    buffer.receive('a', of({ a: 9_007_199_254_740_991 }), 'far')
    expect(buffer.missing()[2]).toEqual({ id: 'a', from: 6, to: 9_007_199_254_740_990 })
  })

  test('begins after what was delivered before a restart', () => {
    const { heard, buffer } = listener({ self: 'me', delivered: of({ a: 2, me: 5 }) })
    expect(buffer.receive('a', of({ a: 2 }), 'old')).toBe(0)
    expect(buffer.receive('a', of({ a: 3, me: 5 }), 'new')).toBe(1)
    expect(heard).toEqual(['new'])
    expect(buffer.send().toJSON()).toEqual({ a: 3, me: 6 })
  })

  test('refuses what it cannot hold, keeps what it has, and takes the message later', () => {
    const { heard, buffer } = listener({ limit: 2 })
    buffer.receive('a', of({ a: 3 }), 'a3')
    buffer.receive('a', of({ a: 4 }), 'a4')
    expect(codeOf(() => buffer.receive('a', of({ a: 2 }), 'a2'))).toBe('BUFFER_FULL')
    expect(buffer.receive('a', of({ a: 4 }), 'again')).toBe(0)
    expect(buffer.size).toBe(2)
    expect(buffer.receive('a', of({ a: 1 }), 'a1')).toBe(1)
    expect(buffer.receive('a', of({ a: 2 }), 'a2')).toBe(3)
    expect(heard).toEqual(['a1', 'a2', 'a3', 'a4'])
  })

  test('with limit 0 takes only what is next', () => {
    const { buffer } = listener({ limit: 0 })
    expect(codeOf(() => buffer.receive('a', of({ a: 2 }), 'a2'))).toBe('BUFFER_FULL')
    expect(buffer.receive('a', of({ a: 1 }), 'a1')).toBe(1)
  })

  test('refuses a stamp that does not count its sender', () => {
    const { buffer } = listener()
    expect(codeOf(() => buffer.receive('a', of({ b: 1 }), 'x'))).toBe('INVALID_COUNTER')
    expect(buffer.size).toBe(0)
  })

  test('refuses a stamp that knows messages it has not sent: it lost its memory', () => {
    const before = listener({ self: 'me' }).buffer
    const stamp = before.send()
    const { buffer } = listener({ self: 'me' })
    expect(codeOf(() => buffer.receive('a', of({ a: 1, me: 1 }), 'x'))).toBe('FUTURE_CONTEXT')
    expect(codeOf(() => buffer.receive('me', stamp, 'x'))).toBe('FUTURE_CONTEXT')
    expect(before.receive('me', stamp, 'an echo')).toBe(0)
  })

  test('without self only listens', () => {
    expect(codeOf(() => listener().buffer.send())).toBe('INVALID_ID')
  })

  test('may be called by what it delivers to', () => {
    const heard: string[] = []
    const stamps = [1, 2, 3].map((n) => of({ a: n }))
    const buffer: CausalBuffer<string> = new CausalBuffer({
      self: 'me',
      deliver: (message) => {
        heard.push(`begin ${message}`)
        if (message === '1') {
          expect(buffer.receive('a', stamps[0]!, '1')).toBe(0)
          expect(buffer.receive('a', stamps[1]!, '2')).toBe(0)
          expect(buffer.receive('a', stamps[1]!, '2')).toBe(0)
          expect(buffer.send().toJSON()).toEqual({ a: 1, me: 1 })
        }
        expect(buffer.flush()).toBe(0)
        heard.push(`end ${message}`)
      },
    })
    buffer.receive('a', stamps[2]!, '3')
    expect(buffer.receive('a', stamps[0]!, '1')).toBe(3)
    expect(heard).toEqual(['1', '2', '3'].flatMap((n) => [`begin ${n}`, `end ${n}`]))
    expect(buffer.size).toBe(0)
  })

  test('loses nothing when what it delivers to throws', () => {
    const heard: string[] = []
    const buffer = new CausalBuffer<string>({
      deliver: (message) => {
        heard.push(message)
        if (message === '1' || message === '3') throw new Error(message)
      },
    })
    for (const n of [5, 4, 3, 2]) buffer.receive('a', of({ a: n }), `${n}`)
    expect(() => buffer.receive('a', of({ a: 1 }), '1')).toThrow('1')
    expect(() => buffer.flush()).toThrow('3')
    expect(buffer.receive('b', of({ b: 1 }), 'b')).toBe(3)
    expect(heard).toEqual(['1', '2', '3', 'b', '4', '5'])
    expect(buffer.size).toBe(0)
  })

  test('takes any id that a vector takes', () => {
    for (const id of NASTY_IDS) {
      const sender = listener({ self: id }).buffer
      const [first, second] = [sender.send(), sender.send()]
      const { heard, buffer } = listener()
      buffer.receive(id, second, '2')
      buffer.receive(id, first, '1')
      expect(heard).toEqual(['1', '2'])
    }
  })

  test.each([-1, Number.NaN, '5'])('refuses the limit %s', (limit) => {
    expect(codeOf(() => listener({ limit: limit as number }))).toBe('INVALID_COUNTER')
  })

  test('refuses an id that is none', () => {
    expect(codeOf(() => listener({ self: '\ud800' }))).toBe('INVALID_ID')
  })
})
