// The states of a resharding job, in the order in which it passes them:
//
//   planned ─ prepared ─ copying ─ catching-up ─ verifying ─ ready
//                  ┌─────────────── reverse ────────────────────▲
//   ready ─ freezing ─ committed ─ reversible ─ cleaning ─ done
//   any before cleaning ─ aborting ─ aborted; slots that were flipped are reversed first
//
// `freezing` flips slots batch by batch, and back again where the direction is `back`.

/** Where a job stands. */
export type ReshardState = (typeof RESHARD_STATES)[number]

/** All states, in order; `aborting` and `aborted` are off the way and come last. */
export const RESHARD_STATES = [
  'planned',
  'prepared',
  'copying',
  'catching-up',
  'verifying',
  'ready',
  'freezing',
  'committed',
  'reversible',
  'cleaning',
  'done',
  'aborting',
  'aborted',
] as const

/** What users can ask of a job. */
export type ReshardWish = (typeof RESHARD_WISHES)[number]

/** All of them. */
export const RESHARD_WISHES = ['pause', 'resume', 'abort', 'cutover', 'reverse', 'finish'] as const

/** Whether nothing more happens in a state. */
export function isOver(state: ReshardState): boolean {
  return state === 'done' || state === 'aborted'
}

/** Whether a job has come as far as a state, or can come no more. On its way back it has not. */
export function hasReached(
  { state, direction }: { readonly state: ReshardState; readonly direction: 'forward' | 'back' },
  wanted: ReshardState,
): boolean {
  if (isOver(state)) return true
  if (state === 'aborting' || direction === 'back') return false
  return RESHARD_STATES.indexOf(state) >= RESHARD_STATES.indexOf(wanted)
}

/**
 * Why a job in this state cannot do what is wished for; undefined if it can. To pause what is
 * paused and the like is no refusal, it changes nothing.
 */
export function refusalOf(wish: ReshardWish, state: ReshardState): string | undefined {
  if (isOver(state)) return `it is ${state}`
  const isUndoing = state === 'aborting' || state === 'cleaning'
  switch (wish) {
    case 'pause':
    case 'resume':
      return undefined
    case 'abort':
      return state === 'cleaning' ? 'it is past the way back, cleaning up' : undefined
    case 'cutover':
      return isUndoing || state === 'committed' || state === 'reversible'
        ? `it is ${state}: there is nothing to cut over`
        : undefined
    case 'reverse':
      return state === 'freezing' || state === 'committed' || state === 'reversible'
        ? undefined
        : `it is ${state}: there is nothing to reverse${isUndoing ? ' any more' : ' yet'}`
    case 'finish':
      return state === 'reversible' || state === 'committed' || state === 'cleaning'
        ? undefined
        : `it is ${state}: it can be finished once it is reversible`
  }
}
