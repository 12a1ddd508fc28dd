// The marks of a drawing run through the clocks: each event with its vector, its Lamport number,
// and the values that its replica holds after it.

import { Dvv, LamportClock, VectorClock, VersionVector } from '@ashlar/clock'
import { type Mark, REPLICAS } from './clock-marks.ts'

/** One event of a replica. */
export interface ClockEvent {
  readonly number: number
  readonly kind: 'write' | 'send' | 'receive'
  readonly by: number
  readonly at: number
  readonly mark: Mark
  /** The value that a write wrote: a, b, c, … */
  readonly value: string
  readonly vector: VersionVector
  readonly lamport: number
  /** What the replica's register holds after the event; more than one value are siblings. */
  readonly values: readonly string[]
}

/** Events in the order of their columns. */
export type History = readonly ClockEvent[]

interface Replica {
  readonly clock: VectorClock
  readonly lamport: LamportClock
  register: Dvv<string>
}

interface Sent {
  readonly vector: VersionVector
  readonly lamport: number
  readonly register: Dvv<string>
}

interface Due {
  readonly kind: ClockEvent['kind']
  readonly at: number
  readonly by: number
  readonly mark: Mark
}

/** The events up to a column. */
export function historyOf(marks: readonly Mark[], now: number): History {
  const replicas = REPLICAS.map((id): Replica => {
    return { clock: new VectorClock(id), lamport: new LamportClock(id), register: new Dvv() }
  })
  const onTheWay = new Map<Mark, Sent>()
  const values = new Map(
    marks.filter(({ kind }) => kind === 'write').map((mark, at) => [mark, letterOf(at)]),
  )
  return dueOf(marks, now).map((due, number) => {
    const replica = replicas[due.by]!
    const id = REPLICAS[due.by]!
    const value = values.get(due.mark) ?? ''
    let lamport: number
    if (due.kind === 'receive') {
      const sent = onTheWay.get(due.mark)!
      replica.clock.receive(sent.vector)
      lamport = replica.lamport.receive(sent.lamport)
      replica.register = replica.register.sync(sent.register)
    } else {
      replica.clock.tick()
      lamport = replica.lamport.tick()
    }
    if (due.mark.kind === 'write') {
      const read = due.mark.isBlind ? VersionVector.empty : replica.register.context()
      replica.register = replica.register.put(value, read, id)
    }
    const vector = replica.clock.snapshot()
    const { register } = replica
    if (due.kind === 'send') onTheWay.set(due.mark, { vector, lamport, register })
    return { ...due, number, value, vector, lamport, values: register.values() }
  })
}

function dueOf(marks: readonly Mark[], now: number): Due[] {
  const all = marks.flatMap((mark): Due[] => {
    const own = { at: mark.at, by: mark.by, mark }
    if (mark.kind === 'write') return [{ kind: 'write', ...own }]
    return [
      { kind: 'send', ...own },
      { kind: 'receive', at: mark.until, by: mark.to, mark },
    ]
  })
  return all.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at || a.by - b.by)
}

function letterOf(at: number): string {
  return String.fromCharCode(97 + (at % 26))
}
