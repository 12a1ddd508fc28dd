// Real Longs, for those who already have the package long (protobufjs does): two halves go straight
// into Long.fromBits, which is forty times as fast as Long.fromString. `long` is an optional peer.

import Long from 'long'
import type { Snowflake } from './snowflake.ts'

const pair = { hi: 0, lo: 0 }

/**
 * The next id of a generator as a Long; unsigned if `unsigned`, default signed, as int64 is.
 * Throws as {@link Snowflake.next}.
 *
 * @example
 * message.id = nextLong(ids) // protobufjs would write 0 for a bigint
 */
export function nextLong(ids: Pick<Snowflake, 'nextInto'>, unsigned = false): Long {
  ids.nextInto(pair)
  return Long.fromBits(pair.lo, pair.hi, unsigned)
}
