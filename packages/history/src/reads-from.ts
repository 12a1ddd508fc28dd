// Which write a read saw. Writes of a key are told apart by their version where the history has
// versions, else by their value, which then must be written only once. A read of the initial value
// saw no write; a read of what nobody wrote is out of thin air.

import { groupBy } from './group-by.ts'
import { HistoryError, shown } from './history-error.ts'
import type { Operation } from './operation.ts'
import { sameValue, valueKey } from './value-key.ts'
import { named, type Violation, violation } from './verdict.ts'

/** The reads and writes of one key. */
export interface KeyStory {
  readonly key: string | undefined
  /** Writes that happened or may have, in order of invocation. */
  readonly writes: readonly Operation[]
  readonly reads: readonly SeenRead[]
  readonly thinAir: readonly Violation[]
}

/** A read that returned, with the write it saw; undefined for the initial value. */
export interface SeenRead {
  readonly read: Operation
  readonly write: Operation | undefined
}

/** Sorts reads and writes by key and finds for each read the write it saw. */
export function storiesOf(operations: readonly Operation[], initial: unknown): KeyStory[] {
  for (const operation of operations) assertReadOrWrite(operation)
  return [...groupBy(operations, ({ key }) => key)].map(([key, among]) =>
    storyOf(key, among, initial),
  )
}

/** Throws unless an operation is a read or a write. */
export function assertReadOrWrite({ id, f }: Operation): void {
  if (f === 'read' || f === 'write') return
  throw new HistoryError(
    'ERR_HISTORY_OPERATION',
    `operation ${id}: this checker knows read and write, got ${shown(f)}`,
  )
}

function storyOf(
  key: string | undefined,
  operations: readonly Operation[],
  initial: unknown,
): KeyStory {
  const writes = operations.filter(({ f, outcome }) => f === 'write' && outcome !== 'fail')
  const byValue = new Map<string | number, Operation>()
  for (const write of writes) {
    const value = valueKey(write.argument)
    if (byValue.has(value) || sameValue(write.argument, initial)) {
      const why = byValue.has(value) ? 'is written twice' : 'is the initial value'
      throw new HistoryError(
        'ERR_HISTORY_VALUE',
        `operation ${write.id}: ${shown(write.argument)} ${why}; write each value once to a key`,
      )
    }
    byValue.set(value, write)
  }
  const reads: SeenRead[] = []
  const thinAir: Violation[] = []
  for (const read of operations) {
    if (read.f !== 'read' || read.outcome !== 'ok') continue
    const write = byValue.get(valueKey(read.result))
    if (write !== undefined || sameValue(read.result, initial)) reads.push({ read, write })
    else thinAir.push(violation('thin-air-read', `nobody wrote what ${named(read)} found`, [read]))
  }
  return { key, writes, reads, thinAir }
}
