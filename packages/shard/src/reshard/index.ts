export { type AdoptShardOptions, adopt } from './adopt.ts'
export type { AdoptingEngine, AdoptOptions, AdoptProgress } from './adopting-engine.ts'
export { type MigrateOptions, type Migration, migrate } from './migrate.ts'
export { type Rebalance, type RebalanceOptions, rebalance, type ShardLoad } from './rebalance.ts'
export { Reshard, type ReshardRun } from './reshard.ts'
export type { ReshardPause } from './reshard-body.ts'
export type {
  ReshardChange,
  ReshardCutover,
  ReshardOptions,
  ReshardPlanOptions,
  ReshardThrottle,
  ReshardTools,
} from './reshard-options.ts'
export type { PlannedPair, ReshardPlan } from './reshard-plan.ts'
export type { ReshardProgress } from './reshard-progress.ts'
export type { ReshardState } from './reshard-state.ts'
