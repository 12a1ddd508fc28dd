export type { PostgresClient, PostgresPool } from './postgres-client.ts'
export { PostgresEngine, type PostgresEngineOptions } from './postgres-engine.ts'
export { PostgresMapStore, type PostgresMapStoreOptions } from './postgres-map-store.ts'
