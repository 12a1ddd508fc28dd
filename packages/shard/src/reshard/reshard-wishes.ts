// What users ask of a job that somebody works on, as changes of its body. The log keeps one wish,
// the last; so one that comes before the worker has looked takes along those that wait:
// `cutover pause`.

import { countSlots, type ReshardBody } from './reshard-body.ts'
import { RESHARD_WISHES, type ReshardWish, refusalOf } from './reshard-state.ts'

/** A wish, after those that wait to be heeded. */
export function wishAfter(waiting: string | undefined, wish: ReshardWish): string {
  const words = (waiting ?? '').split(' ').filter((word) => word !== '' && word !== wish)
  return [...words, wish].join(' ')
}

/** What wishes change, one after the other; nothing where the job's state does not allow it. */
export function heeded(body: ReshardBody, wishes: string | undefined): Partial<ReshardBody> {
  let changes: Partial<ReshardBody> = {}
  for (const word of (wishes ?? '').split(' ')) {
    const now = { ...body, ...changes }
    const wish = RESHARD_WISHES.find((one) => one === word)
    if (wish === undefined || refusalOf(wish, now.state) !== undefined) continue
    changes = { ...changes, ...changesOf(wish, now) }
  }
  return changes
}

function changesOf(wish: ReshardWish, body: ReshardBody): Partial<ReshardBody> {
  const paused = undefined
  switch (wish) {
    case 'pause':
      return { paused: body.paused ?? { code: undefined, message: 'it was asked to pause' } }
    case 'resume':
      return { paused }
    case 'cutover':
      if (body.isAborting) return {}
      return { paused, isCutOver: true, direction: 'forward' }
    case 'finish':
      return { paused, isFinishing: true }
    case 'reverse':
      return { paused, ...backwards(body) }
    case 'abort':
      return countSlots(body, 'flipped') > 0
        ? { paused, isAborting: true, ...backwards(body) }
        : { paused, isAborting: true, state: 'aborting' }
  }
}

/** What has been reversed once goes forward again only when asked. */
function backwards({ rules }: ReshardBody): Partial<ReshardBody> {
  return {
    state: 'freezing',
    direction: 'back',
    isCutOver: false,
    isFinishing: false,
    rules: { ...rules, auto: false },
  }
}
