// How rows read in a terminal: one row a line, ours first, each peer with its ratio to ours.

import type { Figure, Row } from './harness.ts'

/** The lines above a table. */
export function heading(ours: string, peers: Readonly<Record<string, string>>): string {
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  return [
    `\n${ours} beside ${versions.join(', ')} (Node ${process.versions.node})`,
    'median of the rounds (smallest–largest); xN: how many times better ours is',
    '',
  ].join('\n')
}

/** A row as text. */
export function line(row: Row, ours: string): string {
  const own = row.results[ours]
  const cells = Object.entries(row.results).map(([name, figure]) => {
    if (name === ours || own === undefined) return `  ${name.padEnd(28)} ${show(figure)}`
    const times = row.lowerIsBetter ? figure.median / own.median : own.median / figure.median
    const ratio = Number.isFinite(times) ? `  x${times.toFixed(2)}` : ''
    return `  ${name.padEnd(28)} ${show(figure)}${ratio}`
  })
  return [`${row.id}: ${row.title} [${row.unit || 'count'}]`, ...cells, verdict(row)].join('\n')
}

function verdict(row: Row): string {
  if (row.goal === undefined || row.ratio === undefined) return ''
  const said =
    'atMost' in row.goal
      ? `at most ${row.goal.atMost}, is ${row.ratio.toPrecision(4)}`
      : `at least x${row.goal.atLeast} against ${row.goal.against}, is x${row.ratio.toFixed(2)}`
  return `  goal ${row.met ? 'met' : 'MISSED'}: ${said}\n`
}

function show({ median, min, max }: Figure): string {
  const text = (n: number) => (n >= 1000 ? n.toFixed(0) : n.toPrecision(3))
  return `${text(median).padStart(9)} (${text(min)}–${text(max)})`
}
