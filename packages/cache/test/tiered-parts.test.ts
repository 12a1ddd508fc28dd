import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { encodeKey, encodeTags, parseAnnouncement, parseRecord } from '../src/redis/redis-record.ts'
import { ChangeFollower } from '../src/tiered/change-follower.ts'
import { Deadlines } from '../src/tiered/deadlines.ts'
import { fateOf, ManualTime } from './loading-rig.ts'

const epoch = 'e'

describe('ChangeFollower', () => {
  test('takes what comes first, another epoch, and a missing change for a gap', () => {
    const follower = new ChangeFollower()
    expect(follower.hear({ epoch, version: 5, previous: 4 })).toBe(true)
    expect(follower.hear({ epoch, version: 6, previous: 5 })).toBe(false)
    expect(follower.hear({ epoch, version: 6, previous: 5 })).toBe(false)
    expect(follower.hear({ epoch, version: 9, previous: 8 })).toBe(true)
    expect(follower.hear({ epoch, version: 8, previous: 6 })).toBe(false)
    expect(follower.hear({ epoch: 'f', version: 1, previous: 0 })).toBe(true)
    follower.lose()
    expect(follower.hear({ epoch: 'f', version: 2, previous: 1 })).toBe(true)
  })

  test('gives what a position shows until the next one to come', () => {
    const follower = new ChangeFollower()
    expect(follower.look({ epoch, version: 5 })).toBe(true)
    expect(follower.look({ epoch, version: 6 })).toBe(false)
    expect(follower.hear({ epoch, version: 6, previous: 5 })).toBe(false)
    expect(follower.look({ epoch, version: 7 })).toBe(false)
    expect(follower.look({ epoch, version: 7 })).toBe(true)
    expect(follower.look({ epoch, version: 7 })).toBe(false)
    expect(follower.look({ epoch: 'f', version: 7 })).toBe(true)
  })

  property.prop([fc.array(fc.boolean(), { minLength: 1, maxLength: 40 })], { seed: 3 })(
    'finds out about every lost change by the next one or by two looks',
    (delivered) => {
      const follower = new ChangeFollower()
      follower.look({ epoch, version: 0 })
      let isMissing = false
      for (const [i, arrives] of delivered.entries()) {
        if (arrives) {
          expect(follower.hear({ epoch, version: i + 1, previous: i })).toBe(isMissing)
          isMissing = false
        } else isMissing = true
      }
      const position = { epoch, version: delivered.length }
      const first = follower.look(position)
      expect(first || follower.look(position)).toBe(isMissing)
    },
  )
})

describe('Deadlines', () => {
  const late = new Error('late')
  const make = () => {
    const time = new ManualTime()
    const errorOf = (cause: unknown) => (cause === undefined ? late : (cause as Error))
    return { time, deadlines: new Deadlines({ ...time, limitMs: 100, errorOf }) }
  }

  test('ends what takes too long, in one timer, and leaves alone what does not', async () => {
    const { time, deadlines } = make()
    const never = () => new Promise<string>(() => {})
    const [first, quick] = [deadlines.limit(never()), deadlines.limit(Promise.resolve('quick'))]
    expect(await quick).toBe('quick')
    time.pass(60)
    const second = deadlines.limit(never())
    expect(time.pending).toBe(1)
    time.pass(40)
    expect([await fateOf(first), await fateOf(second)]).toEqual([{ error: late }, 'waiting'])
    time.pass(60)
    expect(await fateOf(second)).toEqual({ error: late })
    expect(time.pending).toBe(0)
  })

  test('passes errors on, and forgets its timer when it closes', async () => {
    const { time, deadlines } = make()
    const error = new Error('no')
    expect(await fateOf(deadlines.limit(Promise.reject(error)))).toEqual({ error })
    deadlines.close()
    expect(time.pending).toBe(0)
  })
})

describe('records in Redis', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 20 })

  property.prop([fc.array(anyText.filter((tag) => tag !== '')), anyText, fc.nat()], { seed: 5 })(
    'are read as they were written',
    (tags, text, endMs) => {
      const record = `1 epoch 17 ${endMs} ${encodeTags(tags)}\n${text}`
      const end = endMs === 0 ? Number.POSITIVE_INFINITY : endMs
      expect(parseRecord(record, 'k')).toEqual({ epoch: 'epoch', endMs: end, tags, text })
    },
  )

  property.prop([fc.string({ unit: 'binary' })], { seed: 6 })(
    'that are none are refused with a code, and no message is mistaken for an announcement',
    (text) => {
      expect(() => parseRecord(text, 'k')).toThrow(
        expect.objectContaining({ code: 'ERR_CACHE_GARBAGE' }),
      )
      expect(parseAnnouncement(text)).toBeUndefined()
    },
  )

  property.prop(
    [
      fc.uniqueArray(
        fc.string({
          unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
          maxLength: 3,
        }),
      ),
    ],
    { seed: 9 },
  )('have names as different as their keys are, in UTF-8 too', (keys) => {
    const encoder = new TextEncoder()
    const names = keys.map((key) => encoder.encode(encodeKey(key)).join())
    expect(new Set(names).size).toBe(keys.length)
  })
})
