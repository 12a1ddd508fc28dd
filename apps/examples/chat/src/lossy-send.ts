// A network worse than the one at hand, to see that the chat does not mind.

import type { Send } from './message.ts'

const MAX_DELAY_MS = 30

/** How likely each datagram is lost, doubled and held back, from 0 to 1. */
export interface Faults {
  readonly loss: number
  readonly duplication: number
  readonly reordering: number
}

export function lossySend(
  send: Send,
  { loss, duplication, reordering }: Faults,
  random: () => number,
): Send {
  const once: Send = (to, datagram) => {
    if (random() >= reordering) send(to, datagram)
    else setTimeout(() => send(to, datagram), random() * MAX_DELAY_MS)
  }
  return (to, datagram) => {
    if (random() < loss) return
    once(to, datagram)
    if (random() < duplication) once(to, datagram)
  }
}
