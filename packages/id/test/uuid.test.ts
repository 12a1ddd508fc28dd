import { describe, expect, test } from 'vitest'
import {
  MAX,
  NIL,
  namespaces,
  parse,
  stringify,
  timestampOf,
  v1ToV6,
  v5,
  v6ToV1,
  validate,
  variant,
  version,
} from '../src/index.ts'
import { idErrorOf } from './id-error-of.ts'
import spellings from './vectors/parse.json' with { type: 'json' }
import rfc from './vectors/rfc9562.json' with { type: 'json' }

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bare = (uuid: string) => uuid.replaceAll('-', '')

describe('the vectors of RFC 9562', () => {
  test.each(rfc.vectors)('version $version: $uuid', (vector) => {
    const { uuid } = vector
    expect(validate(uuid)).toBe(true)
    expect(version(uuid)).toBe(vector.version)
    expect(variant(uuid)).toBe('rfc9562')
    expect(hexOf(parse(uuid))).toBe(bare(uuid))
    expect(stringify(parse(uuid))).toBe(uuid)
    if ('unixMs' in vector) expect(timestampOf(uuid)).toBe(vector.unixMs)
    if (vector.version === 5) expect(v5(vector.name!, vector.namespace!)).toBe(uuid)
  })

  test('version 1 and 6 of the same time are each other', () => {
    const [one, six] = [1, 6].map((v) => rfc.vectors.find((vector) => vector.version === v)!.uuid)
    expect(v1ToV6(one!)).toBe(six)
    expect(v6ToV1(six!)).toBe(one)
    expect(v6ToV1(parse(six!))).toBe(one)
  })

  test('nil, max and the namespaces', () => {
    expect([NIL, MAX]).toEqual([rfc.nil, rfc.max])
    expect([validate(NIL), validate(MAX), validate(MAX.toUpperCase())]).toEqual([true, true, true])
    expect([version(NIL), version(MAX)]).toEqual([0, 15])
    expect([variant(NIL), variant(MAX)]).toEqual(['ncs', 'reserved'])
    expect(namespaces).toEqual(rfc.namespaces)
  })
})

describe('parse', () => {
  test.each(spellings.accept)('reads every spelling of %s', (...[given, unixMs]) => {
    const uuid = String(given)
    const texts = [uuid, bare(uuid), `{${uuid}}`, `urn:uuid:${uuid}`]
    for (const text of [...texts, ...texts.map((each) => each.toUpperCase())]) {
      expect(hexOf(parse(text))).toBe(bare(uuid))
    }
    if (unixMs !== null) expect(timestampOf(uuid)).toBe(unixMs)
  })

  test.each(spellings.reject)('refuses %j', (text) => {
    for (const each of [text, text.toUpperCase()]) {
      expect(idErrorOf(() => parse(each)).code).toBe('INVALID_ID')
      expect(validate(each)).toBe(false)
    }
  })

  test('refuses what is no text', () => {
    for (const given of [undefined, null, 1, {}, [NIL]]) {
      expect(idErrorOf(() => parse(given as never)).code).toBe('INVALID_ID')
      expect(validate(given)).toBe(false)
    }
  })
})

describe('validate', () => {
  test('asks for a version of 1 to 8, the variant, and hyphens', () => {
    const texts = ['0', '9', 'f'].map((v) => `6ba7b810-9dad-${v}1d1-80b4-00c04fd430c8`)
    const variants = ['0', '7', 'c', 'f'].map((w) => `6ba7b810-9dad-11d1-${w}0b4-00c04fd430c8`)
    for (const text of [...texts, ...variants, bare(namespaces.dns), `{${namespaces.dns}}`]) {
      expect(validate(text)).toBe(false)
    }
    expect(validate(namespaces.dns.toUpperCase())).toBe(true)
  })

  test('names all variants', () => {
    const of = (digit: string) => variant(`6ba7b810-9dad-11d1-${digit}0b4-00c04fd430c8`)
    expect(['7', '8', 'b', 'c', 'd', 'e'].map(of)).toEqual([
      ...['ncs', 'rfc9562', 'rfc9562', 'microsoft', 'microsoft', 'reserved'],
    ])
  })
})

describe('bytes', () => {
  test('are read at an offset, within what is there', () => {
    const bytes = new Uint8Array(20)
    bytes.set(parse(namespaces.url), 3)
    expect(stringify(bytes, 3)).toBe(namespaces.url)
    expect(timestampOf(bytes.subarray(3))).toBe(timestampOf(namespaces.url))
    for (const offset of [-1, 5, 0.5, Number.NaN]) {
      expect(idErrorOf(() => stringify(bytes, offset)).code).toBe('INVALID_ID')
    }
    expect(idErrorOf(() => version(new Uint8Array(15))).code).toBe('INVALID_ID')
  })

  test('of the other version are refused', () => {
    expect(idErrorOf(() => v6ToV1(namespaces.dns)).code).toBe('INVALID_ID')
    expect(idErrorOf(() => v1ToV6(NIL)).code).toBe('INVALID_ID')
    expect(idErrorOf(() => timestampOf(NIL)).code).toBe('INVALID_ID')
  })
})

describe('version 5', () => {
  test('takes text as UTF-8 and bytes as they are', () => {
    const text = 'Zürich ☃ 🏔'
    expect(v5(text, namespaces.url)).toBe(v5(new TextEncoder().encode(text), namespaces.url))
    expect(v5('\ud800', namespaces.url)).toBe(v5('\ufffd', namespaces.url))
    expect(v5('', parse(namespaces.dns))).toBe('4ebd0208-8328-5d69-8c44-ec50939c0967')
    expect(idErrorOf(() => v5('x', 'dns')).code).toBe('INVALID_ID')
  })
})
