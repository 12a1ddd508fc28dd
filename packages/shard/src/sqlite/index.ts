export type { Synchronous } from './sqlite-database.ts'
export { SqliteEngine } from './sqlite-engine.ts'
export { SqliteMapStore, type SqliteMapStoreOptions } from './sqlite-map-store.ts'
