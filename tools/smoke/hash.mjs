// The main parts of @ashlar/hash, on any runtime.
import { slotOf, toUnit, Xxh32Stream, xxh32, xxh32Fields, xxh64Hex } from '@ashlar/hash'

export default () => [
  xxh32('abc') === 0x32d153ff,
  xxh64Hex('abc') === '44bc2cf5ad770999',
  slotOf('user:42', 16384) === 8087,
  toUnit(xxh32('user:42', 7)) < 1,
  new Xxh32Stream().field('a').field('bc').digest() === xxh32Fields(['a', 'bc']),
]
