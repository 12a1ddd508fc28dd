// Faults are data: a plan is an array of them, can be written down, replayed and shrunk. Times
// are milliseconds of virtual time. A fault that lasts has `forMs`; all end when the world heals.

/** A span of time in which a fault acts. */
interface Lasting {
  /** When it begins, in milliseconds from the start of the run. */
  readonly atMs: number
  /** How long it lasts, in milliseconds. */
  readonly forMs: number
}

/** The messages that a network fault touches; absent means any sender, any receiver. */
interface OnLinks extends Lasting {
  readonly from?: string
  readonly to?: string
}

interface OnNode {
  readonly atMs: number
  readonly node: string
}

/** Each message is lost with probability `rate`. */
export interface LossFault extends OnLinks {
  readonly kind: 'loss'
  readonly rate: number
}

/** Each message arrives a second time, later, with probability `rate`. */
export interface DuplicationFault extends OnLinks {
  readonly kind: 'duplication'
  readonly rate: number
}

/** Each message is, with probability `rate`, overtaken: held back by up to `byMs`. */
export interface ReorderingFault extends OnLinks {
  readonly kind: 'reordering'
  readonly rate: number
  readonly byMs: number
}

/** Latency tail: with probability `rate` a link stalls for up to `byMs`, order kept. */
export interface LatencyFault extends OnLinks {
  readonly kind: 'latency'
  readonly rate: number
  readonly byMs: number
}

/** No message passes between `nodes` and the others, in either direction. */
export interface PartitionFault extends Lasting {
  readonly kind: 'partition'
  readonly nodes: readonly string[]
}

/** No message from `nodes` reaches the others; theirs still arrive. */
export interface OneWayPartitionFault extends Lasting {
  readonly kind: 'oneWayPartition'
  readonly nodes: readonly string[]
}

/** Messages are held, and delivered in order when the link is started again. */
export interface ClogFault extends OnLinks {
  readonly kind: 'clog'
}

/** The links of `nodes` are stopped one by one and started again in another order. */
export interface SwizzleFault extends Lasting {
  readonly kind: 'swizzle'
  readonly nodes: readonly string[]
}

/** Power loss, and a start after `downMs`; each unsynced write is lost with `unsyncedLoss`. */
export interface CrashFault extends OnNode {
  readonly kind: 'crash'
  readonly downMs: number
  readonly unsyncedLoss: number
}

/** The process is killed and started after `downMs`; the machine keeps what was written. */
export interface RestartFault extends OnNode {
  readonly kind: 'restart'
  readonly downMs: number
}

/** The process stands still; its clocks go on, and what came in waits. */
export interface PauseFault extends OnNode {
  readonly kind: 'pause'
  readonly forMs: number
}

/** Each step of the node keeps it busy for up to `byMs`. */
export interface SlowFault extends OnNode {
  readonly kind: 'slow'
  readonly forMs: number
  readonly byMs: number
}

/** The wall clock is set `byMs` ahead, or back if negative, and stays so. */
export interface ClockJumpFault extends OnNode {
  readonly kind: 'clockJump'
  readonly byMs: number
}

/** The wall clock is set back by `byMs`, as a time service does after drift. */
export interface StepBackFault extends OnNode {
  readonly kind: 'stepBack'
  readonly byMs: number
}

/** Both clocks run fast by `ppm` millionths, or slow if negative. */
export interface DriftFault extends OnNode {
  readonly kind: 'drift'
  readonly forMs: number
  readonly ppm: number
}

/** Appends, writes, truncations and syncs fail with probability `rate`, without effect. */
export interface DiskWriteFault extends OnNode {
  readonly kind: 'diskWrite'
  readonly forMs: number
  readonly rate: number
}

/** Reads fail with probability `rate`. */
export interface DiskReadFault extends OnNode {
  readonly kind: 'diskRead'
  readonly forMs: number
  readonly rate: number
}

/** Reads return data of which one bit is flipped, with probability `rate`. */
export interface BitFlipFault extends OnNode {
  readonly kind: 'bitFlip'
  readonly forMs: number
  readonly rate: number
}

/** One thing that goes wrong. */
export type Fault =
  | LossFault
  | DuplicationFault
  | ReorderingFault
  | LatencyFault
  | PartitionFault
  | OneWayPartitionFault
  | ClogFault
  | SwizzleFault
  | CrashFault
  | RestartFault
  | PauseFault
  | SlowFault
  | ClockJumpFault
  | StepBackFault
  | DriftFault
  | DiskWriteFault
  | DiskReadFault
  | BitFlipFault

/** The name of a sort of fault. */
export type FaultKind = Fault['kind']

/** Every sort of fault. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'loss',
  'duplication',
  'reordering',
  'latency',
  'partition',
  'oneWayPartition',
  'clog',
  'swizzle',
  'crash',
  'restart',
  'pause',
  'slow',
  'clockJump',
  'stepBack',
  'drift',
  'diskWrite',
  'diskRead',
  'bitFlip',
]

/**
 * How long a fault lasts: 0 for what happens at once.
 *
 * @example
 * durationMs({ kind: 'pause', atMs: 100, node: 'a', forMs: 50 }) // → 50
 */
export function durationMs(fault: Fault): number {
  if ('forMs' in fault) return fault.forMs
  return 'downMs' in fault ? fault.downMs : 0
}
