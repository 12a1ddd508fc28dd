import { base32, SnowflakeCodec } from '@ashlar/id'
import { milliseconds, whole } from '../figure.ts'
import { type Registry, registerCities } from '../registry.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** How far a generator may be ahead of its clock: its default. */
const MAX_LEAD_MS = 50

/** What a look at every id found. */
interface Audit {
  /** Ids that were not above the one before of the same pod. */
  falls: number
  /** Ids that name another worker, or a time that the clock had not shown. */
  misread: number
  /** Ids outside of the ticks that were leased. */
  outside: number
  /** Ids given while the clock was behind what it had shown before. */
  behind: number
  readonly counts: number[]
}

/** Chapter 5: every city gets a Snowflake id, from pods whose clocks are wrong. */
export const identify: Chapter = {
  title: 'Identify: a Snowflake id for every city, from leased workers',
  async tell(world) {
    const { cities, parts } = world
    const started = world.monotonic()
    const registry = await registerCities(cities, { now: world.now, ...parts })
    const elapsed = world.monotonic() - started
    world.registry = registry
    const audit = auditIds(registry)
    printTenures(world, registry, audit)
    world.teller.line(
      `  ${whole(registry.ids.length)} ids in ${milliseconds(elapsed)}: ` +
        `${whole((elapsed * 1e6) / registry.ids.length)} ns each, leases included`,
    )
    checkUnique(world, registry)
    checkAudit(world, audit)
    checkRanges(world, registry)
    world.summary.push(
      ['cities with a Snowflake id', whole(registry.ids.length)],
      ['  given behind a clock that went back', whole(audit.behind)],
    )
  },
}

function auditIds({ ids, givers, readings, tenures, layout }: Registry): Audit {
  const codec = new SnowflakeCodec(layout)
  const last = tenures.map(() => -1n)
  const shown = tenures.map(() => 0)
  const counts = tenures.map(() => 0)
  const audit: Audit = { falls: 0, misread: 0, outside: 0, behind: 0, counts }
  for (const [i, id] of ids.entries()) {
    const giver = givers[i]!
    const { workerId, fromTick, untilTick } = tenures[giver]!
    const parts = codec.decode(id)
    const { timestamp } = parts
    counts[giver]!++
    if (id <= last[giver]!) audit.falls++
    last[giver] = id
    if (readings[i]! < shown[giver]!) audit.behind++
    shown[giver] = Math.max(shown[giver]!, readings[i]!)
    const isTime = timestamp >= readings[i]! && timestamp <= shown[giver]! + MAX_LEAD_MS
    const isWorker = parts.workerId === workerId
    if (!isTime || !isWorker || codec.compose(parts) !== id) audit.misread++
    const tick = (timestamp - layout.epoch) / layout.unitMs
    if (tick < fromTick || tick >= untilTick) audit.outside++
  }
  return audit
}

function printTenures({ teller }: World, { tenures }: Registry, { counts }: Audit): void {
  const rows = tenures.map(({ pod, workerId, events }, i) => {
    const fate = events.find(({ text }) => !text.includes('leases'))?.text ?? ''
    const joined = events.find(({ text }) => text.includes('leases'))?.atMs ?? 0
    return [`worker ${workerId}`, pod, whole(joined), whole(counts[i]!), fate]
  })
  teller.table(
    [
      { head: 'id of' },
      { head: 'leased by' },
      { head: 'at ms', align: 'right' },
      { head: 'ids', align: 'right' },
      { head: 'what befell it' },
    ],
    rows,
  )
}

function checkUnique(world: World, { ids }: Registry): void {
  const text = world.parts.textOfId ?? ((id: bigint) => base32.encode(id))
  const sorted = ids.toSorted()
  let twice = 0
  let unsorted = 0
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) twice++
    else if (text(sorted[i]!) <= text(sorted[i - 1]!)) unsorted++
  }
  promise(
    world,
    'every city has an id, and no two share one',
    twice === 0 && ids.length === world.cities.length,
    `${whole(twice)} ids were given twice`,
  )
  promise(
    world,
    'as text in base 32 they sort as they do as numbers, which is by time',
    unsorted === 0,
    `${whole(unsorted)} texts stand in the wrong place`,
  )
}

function checkAudit(world: World, { falls, misread, outside, behind }: Audit): void {
  promise(
    world,
    'the ids of each pod strictly increase, also when its clock goes back',
    falls === 0,
    `${whole(falls)} did not, ${whole(behind)} were given behind the clock`,
  )
  promise(
    world,
    'every id can be read back: its worker, and a time its clock has shown',
    misread === 0,
    `${whole(misread)} say something else`,
  )
  promise(
    world,
    'no pod uses a tick that it has not leased',
    outside === 0,
    `${whole(outside)} ids are outside of their lease`,
  )
}

/** Two pods that had the same worker id one after the other had none of its ticks in common. */
function checkRanges(world: World, { tenures }: Registry): void {
  const overlaps = tenures.filter((one, i) => {
    return tenures.slice(0, i).some((other) => {
      const isBoth = one.fromTick < other.untilTick && other.fromTick < one.untilTick
      return one.workerId === other.workerId && isBoth
    })
  })
  const handed = tenures.length - new Set(tenures.map(({ workerId }) => workerId)).size
  promise(
    world,
    `${whole(handed)} worker ids went from pod to pod, and no tick with them`,
    overlaps.length === 0,
    overlaps.map(({ workerId, pod }) => `worker ${workerId} of ${pod}`).join(', '),
  )
}
