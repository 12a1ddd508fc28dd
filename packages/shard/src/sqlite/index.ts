export { SqliteEngine } from './sqlite-engine.ts'
export { SqliteMapStore, type SqliteMapStoreOptions } from './sqlite-map-store.ts'
export type { Synchronous } from './synchronous.ts'
