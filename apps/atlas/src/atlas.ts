// The main job from the command line to the exit code: the story, then the page until a signal.
//
// Exit codes: 0 all promises kept, 1 one was broken or something failed, 2 the command line; 130
// and 143 where Ctrl-C or SIGTERM ended the story. On every way out what was opened is closed.

import { Identities } from './identities.ts'
import { LiveAtlas } from './live-atlas.ts'
import { LiveCaches } from './live-caches.ts'
import { LiveFleet } from './live-fleet.ts'
import { LiveOffices } from './live-offices.ts'
import { LiveRace } from './live-race.ts'
import { LiveShards } from './live-shards.ts'
import { OptionError, type Options, readOptions, USAGE } from './options.ts'
import { type Exhibits, PageServer } from './page-server.ts'
import { CAPACITY } from './race.ts'
import { tellSimulation } from './simulation.ts'
import { newWorld, tellStory } from './story.ts'
import { type Stage, Teller } from './teller.ts'
import type { Parts, World } from './world.ts'

/** The signals that end the atlas, and the exit codes of a story that they end. */
const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 }

/** What the atlas needs from the process around it. */
export interface Surroundings {
  readonly stdout: Stage
  readonly stderr: Stage
  readonly monotonic: () => number
  /** Where SIGINT and SIGTERM are heard: the process. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>
  readonly now: () => number
  /** What the story is built from; the tests put broken parts here. */
  readonly parts?: Parts
}

/** Runs the atlas as `argv` asks for and resolves to the exit code. */
export async function runAtlas(argv: readonly string[], around: Surroundings): Promise<number> {
  try {
    const options = readOptions(argv)
    if (options.help) {
      around.stdout.write(USAGE)
      return 0
    }
    if (options.simulate !== undefined) {
      return (await tellSimulation(options.simulate, new Teller(around.stdout))) ? 0 : 1
    }
    return await run(options, around)
  } catch (error) {
    around.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return error instanceof OptionError ? 2 : 1
  }
}

async function run(options: Options, around: Surroundings): Promise<number> {
  const ending = new Ending(around.signals)
  const { signal } = ending
  const world = newWorld(options, new Teller(around.stdout), { ...around, signal })
  try {
    const isGood = await tellStory(world)
    for (const { name, finding } of world.promises.broken) {
      around.stderr.write(`broken promise: ${name} (${finding})\n`)
    }
    if (!isGood) return 1
    const isShown = !options.once && around.stdout.isTTY === true
    if (isShown) await servePage(world, options.port, ending)
    return 0
  } catch (error) {
    if (ending.name === undefined) throw error
    around.stderr.write(`ended by ${ending.name}\n`)
    return SIGNALS[ending.name]!
  } finally {
    await world.shards?.close()
    ending.ignore()
  }
}

/** Serves the page until Ctrl-C or SIGTERM, then closes every connection. */
async function servePage(world: World, port: number, ending: Ending): Promise<void> {
  const exhibits = exhibitsOf(world)
  const server = new PageServer(exhibits)
  try {
    const url = await server.listen(port)
    world.teller.line()
    world.teller.title(`The page is open at ${url} (Ctrl-C ends it)`)
    await ending.heard
    world.teller.line('\nThe page is closed.')
  } finally {
    await server.close()
    await exhibits.caches.close()
  }
}

/**
 * Listens for the signals that end the atlas. It goes on listening to the end: the same Ctrl-C may
 * come several times, from the terminal and from npm, and must not stop what clears up after it.
 */
class Ending {
  /** The signal that was heard first. */
  name: string | undefined
  readonly heard: Promise<void>
  readonly #abort = new AbortController()
  readonly #signals: Surroundings['signals']
  readonly #listeners: readonly (readonly [name: string, listener: () => void])[]

  constructor(signals: Surroundings['signals']) {
    this.#signals = signals
    this.heard = new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#listeners = Object.keys(SIGNALS).map((name) => {
      const listener = (): void => {
        this.name ??= name
        this.#abort.abort(new Error(`ended by ${name}`))
      }
      signals.on(name, listener)
      return [name, listener]
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Stops to listen. */
  ignore(): void {
    for (const [name, listener] of this.#listeners) this.#signals.off(name, listener)
  }
}

/** What the page shows once the story has been told. */
function exhibitsOf(world: World): Exhibits {
  const { cities, ring, registry, shards, now, monotonic, options } = world
  if (registry === undefined) throw new Error('the cities have no ids: chapter 5 was not told')
  if (shards === undefined) throw new Error('the cities are not stored: chapter 9 was not told')
  return {
    atlas: new LiveAtlas(cities, ring),
    identities: new Identities(cities, registry),
    offices: new LiveOffices(cities, now),
    race: new LiveRace(cities, CAPACITY),
    // A copy: a node that leaves the ring of the first chapter does not leave this one.
    fleet: new LiveFleet(cities, ring.clone(), monotonic),
    shards: new LiveShards(cities, shards),
    caches: new LiveCaches(cities, shards, options),
  }
}
