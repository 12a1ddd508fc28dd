// What all playgrounds have in common on a page: a model that is read from the address and written
// back to it, and time that runs, stops or goes a step. Frames of the browser only decide when the
// next whole step is due, so that a model goes the same way however fast the machine draws.

import {
  onBeforeUnmount,
  onMounted,
  type Ref,
  ref,
  type ShallowRef,
  shallowRef,
  triggerRef,
} from 'vue'
import { putInSearch, takeFromSearch } from './state-text.ts'

/** What a model must be able to do to be played. */
export interface Playable {
  /** May take a while where much happens in a step; the next waits for it. */
  step(): void | Promise<void>
  /** Its state as the text that it can be read from. */
  toText(): string
  /** Whether a further step would begin anew or do nothing; then play stops by itself. */
  readonly isOver?: boolean
}

/** How a playground runs. */
export interface RunOptions {
  /** Milliseconds of real time between two steps while it plays. */
  readonly stepMs: number
  /** What play does first if the model is over. */
  readonly rewind?: () => void
}

/** A playground at work. */
export interface Playground<M extends Playable> {
  readonly model: ShallowRef<M>
  readonly isPlaying: Ref<boolean>
  /** Whether the visitor wants no motion: then there is no play, only steps. */
  readonly isStill: Ref<boolean>
  /** How much of the step under way has passed, 0 to 1, for drawings that glide. */
  readonly passed: Ref<number>
  /** Changes the model, draws it, and writes it to the address. */
  change(how: (model: M) => void): void
  /** Begins with another model. */
  replace(model: M): void
  toggle(): void
  pause(): void
  step(times?: number): Promise<void>
  /** The address of the page with this very state. */
  link(): string
}

/** Browsers refuse addresses that change more often than about three times a second. */
const WRITE_EVERY_MS = 400

/** Longer gaps between frames, of a page in the background, are not made up for. */
const LONGEST_FRAME_MS = 250

/** Runs a playground under a name, which is also that of its part of the address. */
export function usePlayground<M extends Playable>(
  name: string,
  read: (text: string) => M,
  { stepMs, rewind }: RunOptions,
): Playground<M> {
  const first = read(takeFromSearch(location.search, name) ?? '')
  const model = shallowRef(first) as ShallowRef<M>
  const isPlaying = ref(false)
  const passed = ref(0)
  const address = useAddress(name, () => model.value.toText())
  let frame = 0
  let lastMs = 0
  let isBusy = false

  // The model stays the same object: parts of the drawing are given what they show, not the model.
  const redraw = (): void => triggerRef(model)

  const advance = async (times: number): Promise<void> => {
    const one = model.value
    isBusy = true
    for (let i = 0; i < times && !(i > 0 && one.isOver); i++) await one.step()
    isBusy = false
    if (model.value === one) redraw()
  }
  const run = (nowMs: number): void => {
    passed.value += Math.min(LONGEST_FRAME_MS, nowMs - lastMs) / stepMs
    lastMs = nowMs
    const due = Math.floor(passed.value)
    passed.value -= due
    if (model.value.isOver) {
      pause()
      return
    }
    if (due > 0 && !isBusy) void advance(due)
    frame = requestAnimationFrame(run)
  }
  const pause = (): void => {
    if (!isPlaying.value) return
    cancelAnimationFrame(frame)
    isPlaying.value = false
    passed.value = 0
    address.write()
  }
  const toggle = (): void => {
    if (isPlaying.value) {
      pause()
      return
    }
    if (model.value.isOver) rewind?.()
    isPlaying.value = true
    lastMs = performance.now()
    frame = requestAnimationFrame(run)
  }
  const change = (how: (model: M) => void): void => {
    how(model.value)
    redraw()
    address.write()
  }
  const replace = (fresh: M): void => {
    pause()
    model.value = fresh
    change(() => {})
  }
  const step = async (times = 1): Promise<void> => {
    pause()
    if (isBusy) return
    await advance(times)
    address.write()
  }
  onBeforeUnmount(() => cancelAnimationFrame(frame))
  const link = (): string => {
    address.writeNow()
    return location.href
  }
  const isStill = useStillness(pause)
  return { model, isPlaying, isStill, passed, change, replace, toggle, pause, step, link }
}

/** The part of the address that is this playground's, written a moment after the last change. */
function useAddress(name: string, textOf: () => string): { write(): void; writeNow(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  onBeforeUnmount(() => clearTimeout(timer))
  const writeNow = (): void => {
    clearTimeout(timer)
    const { pathname, search, hash } = location
    const address = pathname + putInSearch(search, name, textOf()) + hash
    history.replaceState(history.state, '', address)
  }
  const write = (): void => {
    clearTimeout(timer)
    timer = setTimeout(writeNow, WRITE_EVERY_MS)
  }
  return { write, writeNow }
}

/** Whether the visitor has asked for less motion, also when that changes. */
function useStillness(stop: () => void): Ref<boolean> {
  const query = matchMedia('(prefers-reduced-motion: reduce)')
  const isStill = ref(query.matches)
  const follow = (): void => {
    isStill.value = query.matches
    if (query.matches) stop()
  }
  onMounted(() => query.addEventListener('change', follow))
  onBeforeUnmount(() => query.removeEventListener('change', follow))
  return isStill
}
