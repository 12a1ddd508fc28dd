// `--simulate SEED`: the ring of stones under faults, in a simulated world. Stones join and leave a
// store that the ring places while messages are lost, machines crash and clocks jump; clients read
// and write the largest cities, and a checker judges what they saw. Same seed, same hash.

import { type Fault, SimulationFailure, simulate } from '@ashlar/sim'
import { placedStore } from '@ashlar/suite/placed-store'
import { whole } from './figure.ts'
import { STONES } from './stone.ts'
import type { Teller } from './teller.ts'

const HORIZON_MS = 2000
const CITIES = ['Shanghai', 'Istanbul', 'Buenos Aires', 'Mumbai', 'Mexico City', 'Beijing']

/** Three stones; a fourth joins, the first leaves, a fifth joins. */
function memberships(): string[][] {
  const [a, b, c, d, e] = STONES.map((stone) => stone.id)
  return [
    [a!, b!, c!],
    [a!, b!, c!, d!],
    [b!, c!, d!],
    [b!, c!, d!, e!],
  ]
}

/** Runs the simulation and tells what happened; true if every promise was kept. */
export async function tellSimulation(seed: number, teller: Teller): Promise<boolean> {
  teller.title(`Ashlar atlas: the ring under faults, seed ${seed}`)
  const world = placedStore({ memberships: memberships(), keys: CITIES })
  try {
    const report = await simulate({ seed, horizonMs: HORIZON_MS }, world)
    const { faults, history, events, simulatedMs, coverage, hash } = report
    tellFaults(teller, faults)
    const ends = (type: string) => whole(history.filter((event) => event.type === type).length)
    teller.line()
    teller.table(
      [{ head: 'summary' }, { head: '', align: 'right' }],
      [
        ['events', whole(events)],
        ['simulated seconds', (simulatedMs / 1000).toFixed(2)],
        ['reads and writes that succeeded', ends('ok')],
        ['  that failed', ends('fail')],
        ['  of which nobody knows', ends('info')],
        ['memberships', `${memberships().length}`],
        ['linearizable', 'yes'],
        ['hash', hash],
      ],
    )
    const isThrough = coverage.sometimes.get('all epochs passed') === 1
    teller.line()
    if (isThrough) teller.verdict('No acknowledged write lost, no stale read.', true)
    else teller.verdict('The memberships did not all come about.', false)
    return isThrough
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error
    tellFaults(teller, error.faults)
    teller.line(error.message)
    teller.verdict(`broken promise, hash ${error.hash}`, false)
    return false
  }
}

function tellFaults(teller: Teller, faults: readonly Fault[]): void {
  if (faults.length === 0) {
    teller.line('  this seed draws no faults')
    return
  }
  teller.table(
    [{ head: 'at ms', align: 'right' }, { head: 'fault' }, { head: 'what', width: 56 }],
    faults.map(({ kind, atMs, ...rest }) => [whole(atMs), kind, inWords(rest)]),
  )
}

function inWords(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join('+') : value}`)
    .join(', ')
}
