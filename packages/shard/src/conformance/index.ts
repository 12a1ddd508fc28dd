export { type ConformanceCase, ConformanceFailure } from './conformance-case.ts'
export { engineConformance } from './engine-conformance.ts'
export type { EngineConformanceOptions, EngineUnderTest } from './engine-fixture.ts'
export {
  type MapStoreConformanceOptions,
  type MapStoreUnderTest,
  mapStoreConformance,
} from './map-store-conformance.ts'
export { STANDARD_TABLES } from './standard-tables.ts'
