import { describe, expect, test } from 'vitest'
import {
  CausalBuffer,
  Dvv,
  decodeHlc,
  encodeHlc,
  HybridLogicalClock,
  jsonValues,
  Members,
  VectorClock,
  VersionVector,
} from '../src/index.ts'

describe('in a browser', () => {
  test('vectors travel and compare', () => {
    const [oslo, rome] = [new VectorClock('oslo'), new VectorClock('rome')]
    const members = new Members(['oslo', 'rome', '😀'])
    const bytes = oslo.send().encode(members, { checksum: true })
    const sent = VersionVector.decode(bytes, members)
    rome.receive(sent)
    expect(sent.compare(rome.snapshot())).toBe('before')
    expect(rome.snapshot().compare(oslo.snapshot())).toBe('after')
  })

  test('siblings stay and resolve', () => {
    const none = VersionVector.empty
    const state = new Dvv<string>().put('a', none, 'oslo').put('b', none, 'rome')
    const back = Dvv.decode(state.encode(jsonValues<string>()), jsonValues<string>())
    expect(back.values()).toEqual(['a', 'b'])
    expect(back.resolve((values) => values.join(), 'oslo').values()).toEqual(['a,b'])
  })

  test('messages wait for their causes, and timestamps sort', () => {
    const heard: string[] = []
    const buffer = new CausalBuffer<string>({ deliver: (text) => heard.push(text) })
    buffer.receive('a', VersionVector.of({ a: 2 }), 'second')
    buffer.receive('a', VersionVector.of({ a: 1 }), 'first')
    expect(heard).toEqual(['first', 'second'])
    const clock = new HybridLogicalClock({ node: 'tab' })
    const texts = [clock.now(), clock.now()].map(encodeHlc)
    expect(texts.toSorted()).toEqual(texts)
    expect(decodeHlc(texts[1]!)).toEqual(clock.state())
  })
})
