export type { StepOptions } from './engine-steps.ts'
export { MemoryDatabase, type MemoryDatabaseOptions } from './memory-database.ts'
export { MemoryEngine, type MemoryEngineOptions } from './memory-engine.ts'
export { MemoryMapStore, type MemoryMapStoreOptions } from './memory-map-store.ts'
