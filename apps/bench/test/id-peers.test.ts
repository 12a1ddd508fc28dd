import {
  base32,
  createV4,
  createV7,
  layouts,
  namespaces,
  parse,
  parseUlid,
  SnowflakeCodec,
  stringify,
  ulid,
  v1ToV6,
  v5,
  v6ToV1,
  validate,
  version,
} from '@ashlar/id'
import { fc, test } from '@fast-check/vitest'
import { Snowflake as Sapphire } from '@sapphire/snowflake'
import Long from 'long'
import { decodeTime, isValid as isUlid } from 'ulid'
import * as uuid from 'uuid'
import { UUID } from 'uuidv7'
import { describe, expect } from 'vitest'
import {
  atTheSameTime,
  backAndReturn,
  burst,
  makers,
  tightLoop,
  wrongTimes,
  wrongWorkers,
} from '../src/id-scenarios.ts'

const OURS = '@ashlar/id'

describe('in the scenarios in which peers fail, ours', () => {
  test('repeats nothing and refuses nothing', () => {
    for (const scenario of [burst, tightLoop, backAndReturn]) {
      expect(scenario(makers[OURS]!)).toMatchObject({ duplicates: 0, refused: 0 })
    }
    expect(burst(makers[OURS]!).reads).toBe(10_000)
    expect(wrongWorkers(OURS)).toBe(0)
  })
})

describe('the peers still fail as the README says:', () => {
  const outcome = (name: string, scenario: typeof burst) => scenario(makers[name]!)

  test('@sapphire/snowflake repeats ids of a burst and misreads times', () => {
    expect(outcome('@sapphire/snowflake', burst).duplicates).toBe(5904)
    expect(wrongTimes()).toEqual({ [OURS]: 0, '@sapphire/snowflake': 100_000 })
  })

  test('nodejs-snowflake repeats ids after a step back, and spins in a burst', () => {
    expect(outcome('nodejs-snowflake', backAndReturn).duplicates).toBe(49)
    expect(outcome('nodejs-snowflake', burst).reads).toBeGreaterThan(100_000)
  })

  test('snowflake-id repeats ids in a burst and after a step back, and changes workers', () => {
    expect(outcome('snowflake-id', burst).duplicates).toBe(2)
    expect(outcome('snowflake-id', backAndReturn).duplicates).toBe(50)
    expect(wrongWorkers('snowflake-id')).toBe(4)
  })

  test('flake-idgen throws in a burst and after a step back, and cuts workers', () => {
    expect(outcome('flake-idgen', burst).refused).toBe(5904)
    expect(outcome('flake-idgen', backAndReturn).refused).toBe(50)
    expect(wrongWorkers('flake-idgen')).toBe(2)
  })

  test('@akashrajpurohit/snowflake-id throws after a step back, spins, takes worker 1024', () => {
    expect(outcome('@akashrajpurohit/snowflake-id', backAndReturn).refused).toBe(50)
    expect(outcome('@akashrajpurohit/snowflake-id', burst).reads).toBeGreaterThan(30_000)
    expect(wrongWorkers('@akashrajpurohit/snowflake-id')).toBe(2)
  })

  test('@skorotkiewicz/snowflake-id repeats ids of callers at the same time', async () => {
    const outcomes = await atTheSameTime()
    expect(outcomes[OURS]).toMatchObject({ made: 50_000, duplicates: 0 })
    expect(outcomes['@skorotkiewicz/snowflake-id']!.duplicates).toBeGreaterThan(0)
  })

  test('simple-flakeid repeats nothing, but breaks the order after a step back', () => {
    const outcomes = [burst, backAndReturn].map((scenario) => outcome('simple-flakeid', scenario))
    expect(outcomes).toMatchObject([{ duplicates: 0 }, { duplicates: 0 }])
    expect(outcomes[1]!.inversions).toBeGreaterThan(0)
    expect(backAndReturn(makers[OURS]!).inversions).toBe(0)
  })
})

const uuidLike = fc.oneof(
  fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
  fc
    .tuple(fc.uuid(), fc.nat({ max: 35 }), fc.constantFrom('0', 'g', 'F', '-', ' ', 'ſ'))
    .map(([text, at, character]) => text.slice(0, at) + character + text.slice(at + 1)),
  fc.uuid().map((text) => `{${text}}`),
  fc.string(),
)

describe('beside the packages uuid, uuidv7 and ulid', () => {
  test.prop([uuidLike], { numRuns: 1000 })(
    'validate, version and parse agree with uuid',
    (text) => {
      expect(validate(text)).toBe(uuid.validate(text))
      if (!uuid.validate(text)) return
      expect(version(text)).toBe(uuid.version(text))
      expect(parse(text)).toEqual(uuid.parse(text))
      expect(stringify(parse(text))).toBe(uuid.stringify(uuid.parse(text)))
    },
  )

  test.prop([fc.string({ unit: 'binary' }), fc.uuid()])(
    'v5 agrees with uuid',
    (name, namespace) => {
      // Lone surrogates are U+FFFD here, %-escapes that throw there.
      const text = name.toWellFormed()
      expect(v5(text, namespace)).toBe(uuid.v5(text, namespace))
      expect(v5(text, namespaces.dns)).toBe(uuid.v5(text, uuid.v5.DNS))
    },
  )

  test.prop([fc.uuid({ version: 1 })])('v1ToV6 and v6ToV1 agree with uuid', (one) => {
    expect(v1ToV6(one)).toBe(uuid.v1ToV6(one))
    expect(v6ToV1(v1ToV6(one))).toBe(one)
  })

  test.prop([fc.uint8Array({ minLength: 16, maxLength: 16 })])(
    'v4 of given bytes is that of uuid, and uuidv7 reads our v7',
    (random) => {
      const fill = (out: Uint8Array) => out.set(random)
      expect(createV4({ randomBytes: fill })()).toBe(uuid.v4({ random }))
      const ours = createV7({ randomBytes: fill, now: () => 1_645_557_742_000 })()
      expect(UUID.parse(ours).getVersion()).toBe(7)
      expect(uuid.validate(ours)).toBe(true)
    },
  )

  test('our ULIDs are those of ulid, and its limits ours', () => {
    for (let i = 0; i < 200; i++) {
      const text = ulid()
      expect(isUlid(text)).toBe(true)
      expect(decodeTime(text)).toBe(parseUlid(text).timestamp)
    }
  })

  test.prop([fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })])(
    'decode agrees with @sapphire/snowflake, and takes the Long of long',
    (id) => {
      const ours = new SnowflakeCodec({ ...layouts.discord, timeBits: 42 })
      const theirs = new Sapphire(layouts.discord.epoch).deconstruct(id)
      const expected = {
        timestamp: Number(theirs.timestamp),
        datacenterId: Number(theirs.workerId),
        workerId: Number(theirs.processId),
        sequence: Number(theirs.increment),
      }
      expect(ours.decode(id)).toEqual(expected)
      expect(ours.decode(Long.fromString(id.toString()))).toEqual(expected)
      expect(base32.decode(base32.encode(id))).toBe(id)
    },
  )
})
