// The wire form: what is encoded comes back, equal vectors have equal bytes, altered bytes are
// noticed, and bytes from outside do no harm.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { ClockError, Dvv, jsonValues, Members, VersionVector } from '../src/index.ts'
import { apart, arbitraryId, arbitraryVector } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const arbitraryMembers = fc.array(arbitraryId, { maxLength: 12 }).map((ids) => new Members(ids))
const maybeMembers = fc.option(arbitraryMembers, { nil: undefined })
const options = fc.record({ checksum: fc.boolean() })

describe('the wire form of a vector', () => {
  test.prop({ v: arbitraryVector, members: maybeMembers, options }, { numRuns: 500 })(
    'comes back as it was',
    ({ v, members, options }) => {
      const bytes = v.encode(members, options)
      expect([...VersionVector.decode(bytes, members).entries()]).toEqual([...v.entries()])
    },
  )

  test.prop({ v: arbitraryVector, members: maybeMembers, options })(
    'is the same for equal vectors, however they came to be',
    ({ v, members, options }) => {
      const backwards = VersionVector.of([...v.entries()].reverse())
      expect(backwards.encode(members, options)).toEqual(v.encode(members, options))
      expect(apart(v).encode(members, options)).toEqual(v.encode(members, options))
    },
  )

  test.prop({ v: arbitraryVector, w: arbitraryVector, members: maybeMembers })(
    'differs for different vectors',
    ({ v, w, members }) => {
      const same = v.encode(members).join() === w.encode(members).join()
      expect(same).toBe(v.equals(w))
    },
  )

  test('takes 11 bytes for three replicas with counts in the thousands', () => {
    const members = new Members(['replica-00000', 'replica-00001', 'replica-00002'])
    const v = VersionVector.of(members.ids.map((id, i) => [id, 1000 + i * 4321] as const))
    expect(v.encode(members).length).toBe(11)
    expect(VersionVector.decode(v.encode(members), members).ids).toBe(members.ids)
  })

  test('with a table is short also when few of many members are there', () => {
    const members = new Members(Array.from({ length: 1000 }, (_, i) => `replica-${i}`))
    const v = VersionVector.of({ 'replica-7': 5, 'replica-900': 6 })
    expect(v.encode(members).length).toBeLessThanOrEqual(13)
    const decoded = VersionVector.decode(v.encode(members), members)
    expect(decoded.equals(v)).toBe(true)
    expect(VersionVector.decode(v.encode(members), members).ids).toBe(decoded.ids)
  })

  test('is read with the right one of several tables, and with no other', () => {
    const old = new Members(['a', 'b'])
    const grown = new Members(['a', 'b', 'c'])
    const v = VersionVector.of({ a: 1, b: 2 })
    expect(VersionVector.decode(v.encode(old), [grown, old]).equals(v)).toBe(true)
    expect(VersionVector.decode(v.encode(grown), [grown, old]).equals(v)).toBe(true)
    expect(codeOf(() => VersionVector.decode(v.encode(old), grown))).toBe('INVALID_BYTES')
    expect(codeOf(() => VersionVector.decode(v.encode(old)))).toBe('INVALID_BYTES')
    expect(codeOf(() => VersionVector.decode(v.encode(old), []))).toBe('INVALID_BYTES')
  })

  test('has tables that differ by fingerprint also where joined ids would not', () => {
    const tables = [['ab', 'c'], ['a', 'bc'], ['abc'], ['a', 'b', 'c'], [''], []]
    const prints = tables.map((ids) => new Members(ids).fingerprint)
    expect(new Set(prints).size).toBe(tables.length)
    expect(new Members(['b', 'a', 'b']).fingerprint).toBe(new Members(['a', 'b']).fingerprint)
    expect(codeOf(() => new Members(['\ud800']))).toBe('INVALID_ID')
  })
})

const seal = { checksum: true }

/** Alters one byte; a reader that does not notice reads something else, or the same. */
const alterationLaw = (read: (bytes: Uint8Array) => VersionVector) =>
  fc.property(arbitraryVector, fc.nat(), fc.integer({ min: 1, max: 255 }), (v, at, mask) => {
    const bytes = v.encode(undefined, seal)
    bytes[at % bytes.length]! ^= mask
    expect(codeOf(() => read(bytes))).toBe('INVALID_BYTES')
  })

describe('the checksum', () => {
  test('notices every altered byte', () => {
    // The first byte holds the flag that says whether there is a checksum: without it the four
    // bytes of the checksum are left over, which is noticed as well.
    fc.assert(
      alterationLaw((bytes) => VersionVector.decode(bytes)),
      { numRuns: 1000 },
    )
  })

  test('law catches a reader that does not check it', () => {
    const careless = (bytes: Uint8Array) => {
      const body = bytes.slice(0, -4)
      body[0]! &= ~2
      return VersionVector.decode(body)
    }
    expect(fc.check(alterationLaw(careless), { numRuns: 1000, seed: 1 }).failed).toBe(true)
  })

  test('is the CRC-32 of everybody', async () => {
    const { crc32 } = await import('../src/crc32.ts')
    const bytes = new TextEncoder().encode('123456789')
    expect(crc32(bytes, bytes.length)).toBe(0xcbf43926)
    expect(crc32(bytes, 0)).toBe(0)
  })
})

/** Bytes that are almost right: an encoding with bytes altered, removed, repeated or appended. */
const spoiled = fc
  .tuple(
    fc.oneof(
      fc.tuple(arbitraryVector, maybeMembers, options).map(([v, m, o]) => v.encode(m, o)),
      fc.tuple(arbitraryVector, options).map(([v, o]) => {
        return new Dvv<string>().put('x', v, 's').encode(jsonValues<string>(), undefined, o)
      }),
    ),
    fc.array(fc.tuple(fc.nat(3), fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  )
  .map(([bytes, changes]) => {
    return changes.reduce(
      (all, [how, where, value]) => {
        const at = all.length === 0 ? 0 : where % all.length
        if (how === 0) return all.map((byte, i) => (i === at ? value : byte))
        if (how === 1) return all.toSpliced(at, 1)
        if (how === 2) return all.toSpliced(at, 0, value)
        return all.slice(0, at)
      },
      [...bytes],
    )
  })
  .map((bytes) => Uint8Array.from(bytes))

const anything = fc.oneof(spoiled, fc.uint8Array({ maxLength: 40 }))

describe('bytes from outside', () => {
  test.prop({ bytes: anything, members: maybeMembers }, { numRuns: 3000 })(
    'are a vector that encodes to as few bytes, or a clear error',
    ({ bytes, members }) => {
      const decoded = tryTo(() => VersionVector.decode(bytes, members))
      if (decoded === undefined) return
      const again = VersionVector.of(decoded.entries())
      expect(again.equals(decoded)).toBe(true)
      expect(decoded.encode().length).toBeLessThan(10 + bytes.length + tableSize(members))
    },
  )

  test.prop({ bytes: anything, members: maybeMembers }, { numRuns: 3000 })(
    'are a dotted version vector set, or a clear error',
    ({ bytes, members }) => {
      const decoded = tryTo(() => Dvv.decode(bytes, jsonValues<unknown>(), members))
      if (decoded === undefined) return
      expect(decoded.sync(decoded)).toBe(decoded)
      expect(decoded.put('x', decoded.context(), 'fresh').values()).toEqual(['x'])
    },
  )

  test.each([
    ['nothing', []],
    ['another version', [0x30, 0]],
    ['an unknown flag', [0x18, 0]],
    ['a sparse form without a table', [0x14, 0]],
    ['a count of entries that cannot be there', [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a text longer than the bytes', [0x10, 1, 0xff, 0xff, 0xff, 0x7f, 0x41, 1]],
    ['a number above 2^53', [0x10, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]],
    ['a number that never ends', [0x10, 1, 0, ...Array<number>(20).fill(0x80), 1]],
    ['a number longer than it must be', [0x10, 1, 1, 0x61, 0x81, 0x00]],
    ['a count of zero', [0x10, 1, 1, 0x61, 0]],
    ['ids out of order', [0x10, 2, 1, 0x62, 1, 1, 0x61, 1]],
    ['an id twice', [0x10, 2, 1, 0x61, 1, 1, 0x61, 1]],
    ['ill-formed UTF-8', [0x10, 1, 2, 0xc3, 0x28, 1]],
    ['an encoded surrogate', [0x10, 1, 3, 0xed, 0xa0, 0x80, 1]],
    ['bytes left over', [0x10, 0, 0]],
    ['a missing checksum', [0x12, 0]],
  ])('that are %s are refused', (_, bytes) => {
    expect(codeOf(() => VersionVector.decode(Uint8Array.from(bytes)))).toBe('INVALID_BYTES')
  })

  test('that are no bytes are refused', () => {
    for (const given of [undefined, null, 'a', 5, [], new ArrayBuffer(3), {}]) {
      expect(codeOf(() => VersionVector.decode(given as never))).toBe('INVALID_BYTES')
    }
  })

  test('with a member by name, or beyond the table, are refused', () => {
    const members = new Members(['a', 'b', 'c', 'd'])
    const sparse = VersionVector.of({ a: 1, x: 1 }).encode(members)
    expect([...sparse.slice(5)]).toEqual([1, 0, 1, 1, 1, 0x78, 1])
    const named = sparse.with(9, 0x61).with(5, 1)
    expect(codeOf(() => VersionVector.decode(sparse.with(6, 4), members))).toBe('INVALID_BYTES')
    expect(codeOf(() => VersionVector.decode(named.with(9, 1).with(10, 0x62), members))).toBe(
      'INVALID_BYTES',
    )
  })

  test('may be a view into a larger buffer', () => {
    const v = VersionVector.of({ oslo: 3 })
    const frame = new Uint8Array([9, 9, 9, ...v.encode(undefined, seal), 9])
    expect(VersionVector.decode(frame.subarray(3, -1)).equals(v)).toBe(true)
  })
})

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    expect(error).toBeInstanceOf(ClockError)
    expect((error as ClockError).code).toBe('INVALID_BYTES')
    return undefined
  }
}

function tableSize(members: Members | undefined): number {
  return (members?.ids ?? []).reduce((sum, id) => sum + 3 * id.length + 10, 0)
}
