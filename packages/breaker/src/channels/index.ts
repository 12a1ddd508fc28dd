export type { BreakerChannel, ProbeHold } from '../channel.ts'
export { ChannelError, type ChannelErrorCode } from '../channel-error.ts'
export { type SharedBreaker, type ShareOptions, shareBreaker } from '../share-breaker.ts'
export { MemoryChannel } from './memory-channel.ts'
