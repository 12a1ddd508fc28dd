export { RedisBus } from './redis-bus.ts'
export type { RedisBusClient, RedisClient, RedisSubscriber } from './redis-client.ts'
export { RedisStore, type RedisStoreOptions } from './redis-store.ts'
