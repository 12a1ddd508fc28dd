// Broadcasts run through a CausalBuffer at each replica: when a message arrived, when it was
// delivered, and what it waited for in between.

import { CausalBuffer, type DotRange, type VersionVector } from '@ashlar/clock'
import { type Cast, REPLICAS } from './clock-marks.ts'

/** A message at one of its receivers. */
export interface Delivery {
  readonly cast: Cast
  /** The number of the message of its sender: the m-th, from 1. */
  readonly counter: number
  readonly stamp: VersionVector
  readonly to: number
  /** When it arrives; -1 if it has not yet. */
  readonly arrivedAt: number
  /** When it was delivered; -1 while it waits or is on its way. */
  readonly deliveredAt: number
  /** What its replica lacked when it arrived, and had not got yet. */
  readonly missing: readonly DotRange[]
}

interface Receiver {
  readonly buffer: CausalBuffer<Cast>
  readonly arrived: Map<Cast, { at: number; missing: readonly DotRange[] }>
  readonly delivered: Map<Cast, number>
}

/** The messages that were sent up to a column, once for each receiver. */
export function deliveriesOf(casts: readonly Cast[], now: number): Delivery[] {
  let column = 0
  const receivers = REPLICAS.map((self): Receiver => {
    const delivered = new Map<Cast, number>()
    const deliver = (cast: Cast): void => void delivered.set(cast, column)
    return { buffer: new CausalBuffer({ self, deliver }), arrived: new Map(), delivered }
  })
  const stamps = new Map<Cast, VersionVector>()
  for (column = 0; column <= now; column++) {
    for (const cast of casts) {
      if (cast.at === column) stamps.set(cast, receivers[cast.by]!.buffer.send())
      for (const [to, until] of arrivalsOf(cast)) {
        if (until !== column) continue
        const { buffer, arrived } = receivers[to]!
        buffer.receive(REPLICAS[cast.by]!, stamps.get(cast)!, cast)
        arrived.set(cast, { at: column, missing: buffer.missing() })
      }
    }
  }
  return [...stamps].flatMap(([cast, stamp]) =>
    arrivalsOf(cast).map(([to]) => {
      const { arrived, delivered } = receivers[to]!
      const { at, missing } = arrived.get(cast) ?? { at: -1, missing: [] }
      const counter = stamp.get(REPLICAS[cast.by]!)
      return {
        cast,
        counter,
        stamp,
        to,
        arrivedAt: at,
        deliveredAt: delivered.get(cast) ?? -1,
        missing,
      }
    }),
  )
}

/** Who receives a broadcast, and when. */
function arrivalsOf({ by, until }: Cast): [to: number, until: number][] {
  const others = [0, 1, 2].filter((replica) => replica !== by)
  return [
    [others[0]!, until[0]],
    [others[1]!, until[1]],
  ]
}
