// `<Figures package="ring" />` in a page: what apps/bench measured, ours beside every peer, as a
// table that is there before any script runs. Rows with a goal stand in view, the others fold.
// `only="get"` keeps the rows whose id it is found in, a regular expression.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from '../../bench/src/harness.ts'
import { html } from './escape.ts'
import { root } from './house.ts'

/** The file that a run of the bench writes. */
export interface Results {
  readonly package: string
  readonly node: string
  readonly cpu: string
  readonly date: string
  readonly peers: Readonly<Record<string, string>>
  readonly rows: readonly Row[]
}

/** Reads `apps/bench/results/<name>.json`. */
export function resultsOf(name: string): Results {
  const file = join(root, 'apps', 'bench', 'results', `${name}.json`)
  return JSON.parse(readFileSync(file, 'utf8'))
}

/**
 * The figures as HTML.
 *
 * @throws {RangeError} if `only` leaves no row.
 */
export function figures(results: Results, only = ''): string {
  const kept = results.rows.filter((row) => new RegExp(only, 'u').test(row.id))
  if (kept.length === 0) {
    throw new RangeError(`only="${only}" leaves no row of ${results.package}.json: mend it`)
  }
  const judged = kept.filter((row) => row.goal !== undefined && row.goal !== null)
  const shown = judged.length > 0 ? judged : kept
  const rest = judged.length > 0 ? kept.filter((row) => !judged.includes(row)) : []
  const more = rest.length === 0 ? '' : folded(results, rest)
  return `<div class="figures" v-pre>${table(results, shown)}${more}${circumstances(results)}</div>`
}

function folded(results: Results, rows: readonly Row[]): string {
  const title = rows.length === 1 ? 'One more row' : `${rows.length} more rows`
  return `<details class="more-figures"><summary>${title}</summary>
${table(results, rows)}</details>`
}

function table(results: Results, rows: readonly Row[]): string {
  const head =
    '<tr><th>what</th><th>ours</th><th>others</th><th>times better</th><th>goal</th></tr>'
  const lines = rows.map((row) => line(results.package, row)).join('\n')
  const label = `Figures of ${results.package}`
  return `<div class="wide-table" role="region" aria-label="${label}" tabindex="0"><table>
<thead>${head}</thead><tbody>${lines}</tbody></table></div>`
}

function line(name: string, row: Row): string {
  const entries = Object.entries(row.results)
  const isOurs = (key: string): boolean => key.startsWith(`@ashlar/${name}`)
  const ours = entries.filter(([key]) => isOurs(key))
  const others = entries.filter(([key]) => !isOurs(key))
  const unit = row.unit === '' ? '' : ` <small>${html(row.unit)}</small>`
  return `<tr><td>${html(row.title)}${unit}</td>
<td>${list(ours.map(([key, each]) => [key.replace(/^@ashlar\/[a-z-]+(?:, )?/u, ''), each]))}</td>
<td>${list(others)}</td><td class="number">${ratio(row)}</td><td>${goal(row)}</td></tr>`
}

function list(entries: readonly (readonly [string, { readonly median: number }])[]): string {
  const items = entries.map(([key, { median }]) => {
    const who = key === '' ? '' : `<span class="who">${html(key)}</span> `
    return `<span class="figure">${who}<b>${figure(median)}</b></span>`
  })
  return items.join(' ')
}

/** A ceiling has no ratio: what it is judged by is our own figure. */
function ratio({ goal, ratio }: Row): string {
  if (goal === undefined || goal === null || 'atMost' in goal || ratio === undefined) return ''
  return ratio === null ? '' : figure(ratio)
}

function goal({ goal, met }: Row): string {
  if (goal === undefined || goal === null) return ''
  const what =
    'atMost' in goal
      ? `at most ${figure(goal.atMost)}`
      : `${figure(goal.atLeast)} × ${goal.against}`
  return `${html(what)}: <span class="${met ? 'met' : 'missed'}">${met ? 'met' : 'missed'}</span>`
}

function figure(n: number): string {
  if (n === 0) return '0'
  return n >= 1000 ? Math.round(n).toLocaleString('en-GB') : `${Number(n.toPrecision(3))}`
}

function circumstances({ node, cpu, date, peers, package: name }: Results): string {
  const versions = Object.entries(peers).map(([peer, version]) => `${peer} ${version}`)
  const against = versions.length === 0 ? '' : ` Peers: ${html(versions.join(', '))}.`
  return `<p class="circumstances">Medians of one run on Node ${html(node)}, ${html(cpu)},
${html(date)}.${against} Run it again: <code>node tools/pnpm.mjs run bench ${name}</code></p>`
}
