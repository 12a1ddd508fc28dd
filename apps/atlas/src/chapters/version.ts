import { compareHlc, decodeHlc } from '@ashlar/clock'
import { celebritiesOf } from '../celebrity.ts'
import { Chronicle, type Entry } from '../chronicle.ts'
import type { City } from '../city.ts'
import { milliseconds, whole } from '../figure.ts'
import { type CityFile, Office, type Post } from '../office.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** The clock of an office, and how wrong it is at the start. */
const OFFICES = [
  { id: 'oslo', skewMs: 0 },
  { id: 'rome', skewMs: -20_000 },
  { id: 'lima', skewMs: 1_500 },
] as const

/** Rome's clock goes back by so much between its two edits. */
const STEP_BACK_MS = 30_000

/** The offices, and the wall clock that two of them read wrongly. */
interface Staff {
  readonly oslo: Office
  readonly rome: Office
  readonly lima: Office
  readonly all: readonly Office[]
  /** Sets an office's clock ahead, or back if negative. */
  setClock(id: string, byMs: number): void
}

/** Chapter 6: two offices edit the same cities at once; both edits stay until one resolves them. */
export const version: Chapter = {
  title: 'Version: two offices edit the same city at once',
  tell(world) {
    const [largest] = celebritiesOf(world.cities, 1)
    tellOne(world, largest!.city)
    tellMany(world)
  },
}

function hire(world: World): Staff {
  const start = world.now()
  const skews = new Map<string, number>(OFFICES.map(({ id, skewMs }) => [id, skewMs]))
  let reading = 0
  const make = (id: string): Office => {
    // A millisecond a reading: what happens when is the same in every run.
    return new Office(id, () => start + reading++ + skews.get(id)!, world.parts)
  }
  const [oslo, rome, lima] = [make('oslo'), make('rome'), make('lima')]
  const setClock = (id: string, byMs: number): void => {
    skews.set(id, skews.get(id)! + byMs)
  }
  return { oslo, rome, lima, all: [oslo, rome, lima], setClock }
}

/** One city, event by event. */
function tellOne(world: World, city: City): void {
  const staff = hire(world)
  const { oslo, rome, all } = staff
  const chronicle = new Chronicle()
  const send = (post: Post): Post => {
    chronicle.sent(post)
    return post
  }
  const spread = (post: Post): void => {
    for (const office of all) if (office.id !== post.from) chronicle.deliver(post, office)
  }
  const edit = (office: Office, by: number): Post =>
    send(office.edit([city.key], () => city.population + by))

  spread(edit(oslo, 0))
  const both = [edit(oslo, 1_000), edit(rome, -2_000)]
  for (const post of both) spread(post)
  const siblings = all.map((office) => office.file(city.key).values())
  staff.setClock('rome', -STEP_BACK_MS)
  spread(send(rome.resolve([city.key])))
  const settled = all.map((office) => office.file(city.key).values())

  printEvents(world, city, chronicle.entries)
  const shown = siblings[0]!.map(({ population, by }) => `${whole(population)} (${by})`)
  world.teller.line(`  siblings everywhere: ${shown.join(', ')}`)
  const left = settled[0]!.map(({ population }) => whole(population)).join(', ')
  world.teller.line(`  resolved in rome, whose clock is ${STEP_BACK_MS / 1000} s back: ${left}`)
  checkOrders(world, chronicle)
}

function printEvents(world: World, city: City, entries: readonly Entry[]): void {
  world.teller.line(`  ${city.name}, event by event; rome's clock is 20 s behind:`)
  const start = decodeHlc(entries[0]!.hlc).wall
  const rows = entries.map(({ number, office, kind, vector, hlc, sentBy }) => {
    const { wall, logical } = decodeHlc(hlc)
    const counts = OFFICES.map(({ id }) => String(vector.get(id)))
    const what = sentBy === undefined ? kind : `${kind} of ${sentBy + 1}`
    return [String(number + 1), office, what, ...counts, `${wall - start}`, `${logical}`]
  })
  const right = { align: 'right' } as const
  world.teller.table(
    [
      { head: '', ...right },
      { head: 'office' },
      { head: 'event' },
      ...OFFICES.map(({ id }) => ({ head: id, ...right })),
      { head: 'HLC ms', ...right },
      { head: 'logical', ...right },
    ],
    rows,
  )
}

function checkOrders(world: World, chronicle: Chronicle): void {
  const { entries } = chronicle
  let misjudged = 0
  let reversed = 0
  let concurrent = 0
  for (const e of entries) {
    for (const f of entries.slice(e.number + 1)) {
      const isBefore = chronicle.isBefore(e.number, f.number)
      const order = e.vector.compare(f.vector)
      if (order !== (isBefore ? 'before' : 'concurrent')) misjudged++
      if (!isBefore) concurrent++
      else if (compareHlc(decodeHlc(e.hlc), decodeHlc(f.hlc)) >= 0) reversed++
    }
  }
  const pairs = (entries.length * (entries.length - 1)) / 2
  promise(
    world,
    `vectors tell cause from coincidence in all ${pairs} pairs, ${concurrent} of them concurrent`,
    misjudged === 0,
    `${misjudged} pairs are not what the messages make them`,
  )
  promise(
    world,
    'hybrid time puts every cause before its effects, though clocks are wrong',
    reversed === 0,
    `${reversed} effects are before their cause`,
  )
}

/** Which offices edit a city: a quarter both, a quarter each alone, a quarter nobody. */
function editorsOf(index: number): readonly string[] {
  return [['oslo', 'rome'], ['oslo'], ['rome'], []][index % 4]!
}

/** Every eighth city: enough for many conflicts, and told in a blink. */
const ONE_IN = 8

/** Many cities at once. */
function tellMany(world: World): void {
  const cities = world.cities.filter((_, i) => i % ONE_IN === 0)
  const { oslo, rome, lima, all } = hire(world)
  const started = world.monotonic()
  const population = new Map(cities.map((city) => [city.key, city.population]))
  const spread = (post: Post): void => {
    for (const office of all) if (office.id !== post.from) office.receive(post)
  }
  spread(oslo.edit(population.keys(), (key) => population.get(key)!))
  const editedBy = (id: string): string[] => {
    return cities.filter((_, i) => editorsOf(i).includes(id)).map(({ key }) => key)
  }
  const edits = [oslo, rome].map((office) => {
    return office.edit(editedBy(office.id), (key) => population.get(key)! + 1)
  })
  for (const post of edits) spread(post)
  const before = checkSiblings(world, { cities, all, edits })
  const resolution = oslo.resolve(before.conflicts)
  spread(resolution)
  checkResolution(world, { all, resolution, ...before })
  for (const post of edits) spread(post)
  checkLate(world, cities, all)
  const elapsed = world.monotonic() - started
  world.teller.line(
    `  every eighth city: ${whole(before.edits)} edits, ` +
      `${whole(before.conflicts.length)} conflicts, in ${milliseconds(elapsed)}`,
  )
  world.summary.push(
    ['cities edited in two offices at once', whole(before.conflicts.length)],
    ['  siblings left by them', whole(before.siblings)],
    ['  after the resolution', whole(siblingsAt(lima, cities))],
  )
}

/** What two offices left behind that edited at once. */
interface Conflicts {
  readonly edits: number
  readonly siblings: number
  /** Cities that both had edited. */
  readonly conflicts: readonly string[]
  readonly files: ReadonlyMap<string, CityFile>
}

function checkSiblings(
  world: World,
  {
    cities,
    all,
    edits,
  }: { cities: readonly City[]; all: readonly Office[]; edits: readonly Post[] },
): Conflicts {
  let wrong = 0
  let lost = 0
  const conflicts: string[] = []
  for (const [i, { key }] of cities.entries()) {
    const editors = editorsOf(i)
    if (editors.length > 1) conflicts.push(key)
    for (const office of all) {
      const values = office.file(key).values()
      // Where nobody edited there is the first version still, which is oslo's.
      if (values.length !== Math.max(1, editors.length)) wrong++
      if (!editors.every((id) => values.some(({ by }) => by === id))) lost++
    }
  }
  promise(
    world,
    'a city has two values where two edited it at once, and one elsewhere',
    wrong === 0,
    `${whole(wrong)} files have another number of values`,
  )
  promise(
    world,
    'no edit is lost: every office shows what each of them wrote',
    lost === 0,
    `${whole(lost)} files lack an edit`,
  )
  const files = new Map(conflicts.map((key) => [key, all[0]!.file(key)]))
  const siblings = conflicts.reduce((sum, key) => sum + files.get(key)!.values().length, 0)
  const count = edits.reduce((sum, post) => sum + post.files.size, 0)
  return { edits: cities.length + count, siblings, conflicts, files }
}

function checkResolution(
  world: World,
  { all, resolution, conflicts, files }: Conflicts & { all: readonly Office[]; resolution: Post },
): void {
  let wrong = 0
  for (const key of conflicts) {
    const old = files.get(key)!
    const stamps = old.values().map(({ hlc }) => hlc)
    for (const office of all) {
      const file = office.file(key)
      const [value, second] = file.values()
      const isLater = stamps.every((hlc) => value !== undefined && hlc < value.hlc)
      const isTheOne = second === undefined && value?.hlc === resolution.sent.hlc
      if (!isLater || !isTheOne || !file.context().dominates(old.context())) wrong++
    }
  }
  promise(
    world,
    'a resolution is later than both siblings, dominates them, and is alone',
    wrong === 0,
    `${whole(wrong)} files say something else`,
  )
}

/** The edits have come once more, late: what they say is known to be overwritten. */
function checkLate(world: World, cities: readonly City[], all: readonly Office[]): void {
  const back = all.reduce((sum, office) => sum + siblingsAt(office, cities), 0)
  promise(
    world,
    'edits that come again, late, bring nothing back',
    back === 0,
    `${whole(back)} files have siblings again`,
  )
}

function siblingsAt(office: Office, cities: readonly City[]): number {
  return cities.filter(({ key }) => office.file(key).values().length > 1).length
}
