// What the simulated worlds of a test run did, as text: runs, events, simulated hours and faults
// of all laws, and the table of the bug zoo.

import { existsSync, readFileSync } from 'node:fs'

/**
 * @param {string} totalsFile JSON lines of @ashlar/sim/vitest: { law, runs, events, … }
 * @param {string} zooFile JSON lines of the zoo's keeper: { system, bug, runs, failing, … }
 */
export function simulationSummary(totalsFile, zooFile) {
  const totals = linesOf(totalsFile)
  const zoo = linesOf(zooFile)
  const parts = []
  if (zoo.length > 0) parts.push(zooTable(zoo))
  if (totals.length > 0) parts.push(totalLine(totals))
  return parts.join('\n\n')
}

function totalLine(totals) {
  const sum = (field) => totals.reduce((all, line) => all + line[field], 0)
  const whole = (n) => Math.round(n).toLocaleString('en')
  const hours = (sum('simulatedMs') / 3_600_000).toFixed(1)
  return (
    `simulated: ${whole(sum('runs'))} runs, ${whole(sum('events'))} events, ${hours} hours, ` +
    `${whole(sum('faults'))} faults, ${totals.length} laws`
  )
}

function zooTable(rows) {
  const sorted = rows.toSorted((a, b) => {
    return a.system < b.system ? -1 : a.system > b.system ? 1 : Number(!!a.bug) - Number(!!b.bug)
  })
  const cells = sorted.map(({ system, bug, runs, failing, firstSeed, faultsLeft, plan }) => [
    system,
    bug ?? 'right',
    `${failing} of ${runs}`,
    firstSeed === undefined ? '–' : `${firstSeed}`,
    faultsLeft.join(' ') || '–',
    plan || '–',
  ])
  const head = ['system', 'variant', 'failing seeds', 'first', 'faults left', 'smallest plan']
  const widths = head.map((text, i) => Math.max(text.length, ...cells.map((row) => row[i].length)))
  const line = (row) =>
    row
      .map((text, i) => text.padEnd(widths[i]))
      .join('  ')
      .trimEnd()
  return ['The bug zoo: the right ones never fail, the broken ones are caught', '']
    .concat([line(head), ...cells.map(line)])
    .join('\n')
}

function linesOf(file) {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line))
}
