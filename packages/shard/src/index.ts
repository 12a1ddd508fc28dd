export type { ScatterAggregate } from './aggregate-plan.ts'
export type { LoadOptions } from './bulk-load.ts'
export type { CapacityReport, ShardCapacity } from './capacity.ts'
export type {
  TransactionKey,
  TransactionOptions,
  TransactionScope,
} from './distributed-transaction.ts'
export {
  type Engine,
  type Fence,
  type FenceState,
  type InstallSpec,
  type OpenOptions,
  type OpenTransaction,
  type Outcome,
  type PlacedRow,
  type PreparedTransaction,
  type QueryResult,
  REFERENCE_SLOT,
  type Row,
  type Scan,
  type ScanOptions,
  type ShardTx,
  type SlotClaim,
  type SqlTx,
  type TableSize,
  type TableSpec,
} from './engine.ts'
export { type HeavyHitter, HeavyHitters, type HeavyHittersOptions } from './heavy-hitters.ts'
export type { JobLog, JobRecord, JobSave } from './job-log.ts'
export type { MapChange, MapPlan, SlotTransfer } from './map-change.ts'
export type { Decision, DecisionLog, MapStore, SagaLog, SagaRecord } from './map-store.ts'
export type { KeyRef, PinEdit } from './pin-edit.ts'
export type { PinOptions } from './pin-key.ts'
export type { Recovery, RecoveryOptions } from './recovery.ts'
export type { ReferenceDigest } from './reference-digest.ts'
export type { HotKey, HotReport, HotSlot } from './router-heat.ts'
export type { RouterOptions, ShardLimits } from './router-options.ts'
export type { RouterStatus, ShardStatus } from './router-status.ts'
export type { LastSweep, RouterRecovery } from './router-sweep.ts'
export type { Saga, SagaOptions, SagaRunOptions, SagaStep } from './saga.ts'
export type { SagaRecovery } from './saga-recovery.ts'
export type {
  Aggregate,
  Condition,
  OrderTerm,
  ScanRequest,
  SqlCondition,
  Where,
} from './scan-request.ts'
export type {
  ScatterOptions,
  ScatterQuery,
  ScatterResult,
} from './scatter-query.ts'
export type { RowStream } from './scatter-stream.ts'
export {
  BarrierTimeout,
  CrossShard,
  Fenced,
  FreezeTimeout,
  InDoubtTransaction,
  PlanConflict,
  ScatterPartial,
  ShardError,
  type ShardErrorCode,
  type ShardErrorDetails,
  ShardFrozen,
  ShardMoved,
  StaleEpoch,
  UnknownShard,
  VerifyMismatch,
} from './shard-error.ts'
export { keyText, partKey, type ShardKey } from './shard-key.ts'
export { type Route, ShardMap, type ShardMapOptions } from './shard-map.ts'
export type {
  KeyText,
  PinJson,
  ShardJson,
  ShardMapJson,
  SplitJson,
  TableRuleJson,
} from './shard-map-json.ts'
export { type ShardOptions, ShardRouter } from './shard-router.ts'
export type {
  CaptureKind,
  ChangeBatch,
  CopyUnit,
  DirtyKey,
  MoveLease,
  ShardHealth,
  SlotChecksum,
  SlotMover,
  SlotSize,
} from './slot-mover.ts'
export type { SplitEdit } from './split-edit.ts'
export { choosePart, type PartChoice } from './split-key.ts'
export {
  by,
  byDirectory,
  byRange,
  byZone,
  type Columns,
  colocated,
  onShard,
  reference,
  type TableOptions,
  type TableRule,
} from './table-rule.ts'
export type {
  Leftover,
  MisplacedRow,
  ReferenceDifference,
  VerifyOptions,
  VerifyReport,
} from './verify.ts'
export type { FenceProblem } from './verify-fences.ts'
