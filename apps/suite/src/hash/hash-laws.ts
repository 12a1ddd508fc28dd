// What placement needs of a hash, whichever it is: one hash for a text and its UTF-8, every bit of
// the input and of the seed in every bit of the hash, and slots that are even. That it is XXH32 to
// the bit is tested in packages/hash against xxhash-wasm.
//
// The laws of spread are statistical: they look at fixed cases, five standard deviations wide.

import { fc } from '@fast-check/vitest'
import { anySeed32, anyText } from '../../../../packages/hash/test/hash-input.ts'
import { type Law, runProperty } from '../law-twins.ts'

/** A hash and the slots made of it. */
export interface Hashing {
  readonly hash32: (input: string | Uint8Array, seed: number) => number
  readonly slotOf: (key: string, slots: number) => number
}

const encoder = new TextEncoder()
const SAMPLES = 400

/** A text hashes as its UTF-8, lone surrogates as U+FFFD. */
export const utf8: Law<Hashing> = ({ hash32 }) => {
  const law = fc.property(anyText, anySeed32, (text, seed) => {
    return hash32(text, seed) === hash32(encoder.encode(text), seed)
  })
  return runProperty((parameters) => fc.assert(law, parameters))
}

/** A bit of the input, wherever it stands, turns each bit of the hash half of the time. */
export const avalanche: Law<Hashing> = ({ hash32 }) => {
  const law = fc.property(
    fc.integer({ min: 1, max: 70 }),
    fc.nat(),
    fc.nat(7),
    (length, place, bit) => {
      return turnsHalf((sample) => {
        const bytes = new Uint8Array(length)
        for (let i = 0; i < length; i++) bytes[i] = Math.imul(sample * 70 + i, 0x9e3779b1) >>> 24
        const before = hash32(bytes, sample)
        bytes[place % length]! ^= 1 << bit
        return before ^ hash32(bytes, sample)
      })
    },
  )
  return runProperty((parameters) => fc.assert(law, parameters))
}

/** A bit of the seed turns each bit of the hash half of the time. */
export const seeds: Law<Hashing> = ({ hash32 }) => {
  const law = fc.property(fc.nat(31), fc.string({ maxLength: 40 }), (bit, prefix) => {
    return turnsHalf((sample) => {
      const key = `${prefix}${sample}`
      return hash32(key, sample) ^ hash32(key, (sample ^ (1 << bit)) >>> 0)
    })
  })
  return runProperty((parameters) => fc.assert(law, parameters))
}

/** Each sixth of the slots gets a sixth of the keys, for any number of slots. */
export const evenSlots: Law<Hashing> = ({ slotOf }) => {
  const slots = fc.oneof(fc.constantFrom(6, 12_288, 49_152, 98_304), fc.nat(8192))
  const law = fc.property(slots, (sixth) => {
    const count = (sixth + 1) * 6
    const keys = 6000
    const counts = new Array<number>(6).fill(0)
    for (let i = 0; i < keys; i++) {
      const slot = slotOf(`user:${i}`, count)
      if (!(Number.isInteger(slot) && slot >= 0 && slot < count)) return false
      counts[Math.floor(slot / (sixth + 1))]!++
    }
    const sigma = Math.sqrt(keys * (1 / 6) * (5 / 6))
    return counts.every((n) => Math.abs(n - keys / 6) <= 5 * sigma)
  })
  return runProperty((parameters) => fc.assert(law, parameters))
}

/** Whether each of 32 bits is set in about half of the samples. */
function turnsHalf(differenceOf: (sample: number) => number): boolean {
  const turned = new Array<number>(32).fill(0)
  for (let sample = 0; sample < SAMPLES; sample++) {
    const difference = differenceOf(sample)
    for (let bit = 0; bit < 32; bit++) turned[bit]! += (difference >>> bit) & 1
  }
  const margin = 5 * Math.sqrt(SAMPLES / 4)
  return turned.every((count) => Math.abs(count - SAMPLES / 2) <= margin)
}
