// The clocks of npm that stand beside ours, typed where they bring no types of their own.

import { createRequire } from 'node:module'

/** A vector as the peers hold it. */
export type PlainClock = Record<string, number>

/** vectorclock 0.0.0: functions over clocks, or over objects that hold one as `clock`. */
interface PlainVectorClock {
  increment(holder: { clock: PlainClock }, id: string): { clock: PlainClock }
  increment(clock: PlainClock, id: string): PlainClock
  compare(a: PlainClock, b: PlainClock): number
  descSort(a: { clock: PlainClock }, b: { clock: PlainClock }): number
  isConcurrent(a: PlainClock, b: PlainClock): boolean
  isConcurrent(a: { clock: PlainClock }, b: { clock: PlainClock }): boolean
  isIdentical(a: PlainClock, b: PlainClock): boolean
  isIdentical(a: { clock: PlainClock }, b: { clock: PlainClock }): boolean
  merge(a: PlainClock, b: PlainClock): PlainClock
}

const require = createRequire(import.meta.url)

export const vectorclock: PlainVectorClock = require('vectorclock')

export { Timestamp } from '@actual-app/crdt'
export { default as ConsentoClock } from '@consento/hlc'
export * as thing from '@thi.ng/vclock'
