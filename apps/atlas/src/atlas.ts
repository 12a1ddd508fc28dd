// The main job from the command line to the exit code: the story, then the page until a signal.
//
// Exit codes: 0 all promises kept, 1 one was broken or something failed, 2 the command line.

import { Identities } from './identities.ts'
import { LiveAtlas } from './live-atlas.ts'
import { LiveFleet } from './live-fleet.ts'
import { LiveOffices } from './live-offices.ts'
import { LiveRace } from './live-race.ts'
import { OptionError, type Options, readOptions, USAGE } from './options.ts'
import { type Exhibits, PageServer } from './page-server.ts'
import { CAPACITY } from './race.ts'
import { tellSimulation } from './simulation.ts'
import { newWorld, tellStory } from './story.ts'
import { type Stage, Teller } from './teller.ts'
import type { Parts, World } from './world.ts'

const SIGNALS = ['SIGINT', 'SIGTERM']

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
  const world = newWorld(options, new Teller(around.stdout), around)
  const isGood = await tellStory(world)
  for (const { name, finding } of world.promises.broken) {
    around.stderr.write(`broken promise: ${name} (${finding})\n`)
  }
  if (!isGood) return 1
  if (!options.once && around.stdout.isTTY === true) await servePage(world, options.port, around)
  return 0
}

/** Serves the page until Ctrl-C or SIGTERM, then closes every connection. */
async function servePage(world: World, port: number, { signals }: Surroundings): Promise<void> {
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  for (const signal of SIGNALS) signals.on(signal, stop)
  const server = new PageServer(exhibitsOf(world))
  try {
    const url = await server.listen(port)
    world.teller.line()
    world.teller.title(`The page is open at ${url} (Ctrl-C ends it)`)
    await stopped
    world.teller.line('\nThe page is closed.')
  } finally {
    await server.close()
    for (const signal of SIGNALS) signals.off(signal, stop)
  }
}

/** What the page shows once the story has been told. */
function exhibitsOf({ cities, ring, registry, now, monotonic }: World): Exhibits {
  if (registry === undefined) throw new Error('the cities have no ids: chapter 5 was not told')
  return {
    atlas: new LiveAtlas(cities, ring),
    identities: new Identities(cities, registry),
    offices: new LiveOffices(cities, now),
    race: new LiveRace(cities, CAPACITY),
    // A copy: a node that leaves the ring of the first chapter does not leave this one.
    fleet: new LiveFleet(cities, ring.clone(), monotonic),
  }
}
