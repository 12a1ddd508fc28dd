export { CausalBuffer, type CausalBufferOptions } from './causal-buffer.ts'
export { causalSort } from './causal-sort.ts'
export { ClockError, type ClockErrorCode } from './clock-error.ts'
export type { Dot, DotRange } from './dot.ts'
export { DotContext } from './dot-context.ts'
export { Dvv } from './dvv.ts'
export { jsonValues, type ValueCodec } from './dvv-codec.ts'
export {
  compareHlc,
  decodeHlc,
  encodeHlc,
  type HlcTimestamp,
  hlcFromBigInt,
  hlcFromLong,
  hlcToBigInt,
  hlcToLong,
  type LongLike,
} from './hlc-timestamp.ts'
export { type HlcDrift, type HlcOptions, HybridLogicalClock } from './hybrid-logical-clock.ts'
export { LamportClock, type LamportStamp } from './lamport-clock.ts'
export { MatrixClock } from './matrix-clock.ts'
export { Members } from './members.ts'
export type { Order } from './pointwise.ts'
export { nameOf, replicaId } from './replica-id.ts'
export { VectorClock } from './vector-clock.ts'
export type { EncodeOptions } from './vector-codec.ts'
export { VersionVector } from './version-vector.ts'
