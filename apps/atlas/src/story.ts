// The story as a list of chapters. Each package that joins the family adds its own.

import { setImmediate } from 'node:timers/promises'
import { HashRing } from '@ashlar/ring'
import { celebrities } from './chapters/celebrities.ts'
import { change } from './chapters/change.ts'
import { grow } from './chapters/grow.ts'
import { identify } from './chapters/identify.ts'
import { keep } from './chapters/keep.ts'
import { load } from './chapters/load.ts'
import { place } from './chapters/place.ts'
import { serve } from './chapters/serve.ts'
import { store } from './chapters/store.ts'
import { survive } from './chapters/survive.ts'
import { version } from './chapters/version.ts'
import { PromiseLedger } from './promise-ledger.ts'
import { STONES } from './stone.ts'
import type { Teller } from './teller.ts'
import type { Chapter, MakeRing, Parts, StoryOptions, World } from './world.ts'

/** Those about the ring, which need none of the others. */
export const RING_CHAPTERS: readonly Chapter[] = [load, place, change, celebrities]

const CHAPTERS: readonly Chapter[] = [
  ...RING_CHAPTERS,
  ...[identify, version, serve, survive, store, keep, grow],
]

/** What the world needs from outside. */
interface WorldAround extends Pick<World, 'monotonic' | 'now'> {
  readonly parts?: Parts | undefined
  readonly signal?: AbortSignal | undefined
}

/** The world before the first chapter: a ring of nodes, and no city yet. */
export function newWorld(
  options: StoryOptions,
  teller: Teller,
  { monotonic, now, parts = {}, signal = new AbortController().signal }: WorldAround,
): World {
  const { nodes, virtualNodes, seed } = options
  const make: MakeRing =
    parts.makeRing ?? ((stones, ringOptions) => new HashRing(stones, ringOptions))
  return {
    options,
    monotonic,
    now,
    parts,
    signal,
    teller,
    promises: new PromiseLedger(),
    summary: [],
    cities: [],
    ring: make(STONES.slice(0, nodes), { virtualNodes, seed }),
    registry: undefined,
    shards: undefined,
  }
}

/**
 * Tells the chapters and the summary; true if every promise was kept.
 * @throws the reason of the world's signal if it aborts; what a chapter throws.
 */
export async function tellStory(world: World): Promise<boolean> {
  const { teller, promises, parts } = world
  const started = world.monotonic()
  teller.title('Ashlar atlas: the cities of the world on a ring of stones')
  for (const [i, chapter] of (parts.chapters ?? CHAPTERS).entries()) {
    // A chapter may keep the loop to itself; Ctrl-C is heard between two of them.
    await setImmediate()
    world.signal.throwIfAborted()
    teller.chapter(i + 1, chapter.title)
    await chapter.tell(world)
  }
  teller.line()
  teller.table(
    [{ head: 'summary' }, { head: '', align: 'right' }],
    [
      ...world.summary,
      ['promises kept', `${promises.size - promises.broken.length} of ${promises.size}`],
      ['seconds', ((world.monotonic() - started) / 1000).toFixed(2)],
    ],
  )
  teller.line()
  const isGood = promises.broken.length === 0
  if (isGood) teller.verdict(`All ${promises.size} promises kept.`, true)
  else teller.verdict(`${promises.broken.length} of ${promises.size} promises broken.`, false)
  return isGood
}
