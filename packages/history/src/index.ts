export { type CausalOptions, checkCausal } from './causal.ts'
export { HistoryError, type HistoryErrorCode } from './history-error.ts'
export type { EventType, HistoryEvent } from './history-event.ts'
export { checkLedger, type LedgerOptions } from './ledger.ts'
export {
  checkLinearizable,
  type LinearizableOptions,
  type LinearizableVerdict,
  type LinearOrder,
} from './linearizable.ts'
export type { Model } from './model.ts'
export { counter } from './models/counter.ts'
export { lock } from './models/lock.ts'
export { queue } from './models/queue.ts'
export { casRegister, register } from './models/register.ts'
export { set } from './models/set.ts'
export { ticket } from './models/ticket.ts'
export { type Operation, operationsOf } from './operation.ts'
export { formatHistory, parseHistory } from './parse-history.ts'
export { checkSessions, type SessionGuarantee, type SessionsOptions } from './sessions.ts'
export { checkStaleness, type StalenessOptions } from './staleness.ts'
export { drawTimeline, type TimelineOptions } from './timeline.ts'
export { checkUnique, type UniqueOptions } from './unique.ts'
export type { Verdict, Violation } from './verdict.ts'
