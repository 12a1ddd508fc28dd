// `<MissRatioCurve at="1000" />` in a page: what `missRatioCurve()` of @ashlar/cache says of
// recorded requests, drawn while the page is built: hits by the size of the cache, with that size,
// half of it and twice as much marked.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { missRatioCurve } from '@ashlar/cache'
import { readRequests } from '../playgrounds/recorded-requests.ts'
import { site } from './house.ts'

const WIDTH = 340
const HEIGHT = 190
const LEFT = 42
const RIGHT = 330
const TOP = 12
const BOTTOM = 150

/** A size, and the part of the requests that a cache of it would have answered. */
export interface Mark {
  readonly max: number
  readonly hitRatio: number
}

/** Hits at half the size, at the size, and at twice the size; and the whole curve. */
export function marksOf(at: number): { marks: readonly Mark[]; curve: readonly Mark[] } {
  const bytes = readFileSync(join(site, 'playgrounds', 'web-requests.bin'))
  const curve = missRatioCurve(readRequests(bytes).sequence, { random: () => 0 })
  const mark = (max: number): Mark => ({ max, hitRatio: 1 - curve.missRatio(max) })
  const points = curve.points(4).map(({ max, missRatio }) => ({ max, hitRatio: 1 - missRatio }))
  return { marks: [at / 2, at, 2 * at].map(mark), curve: points }
}

/** The drawing as HTML, with what it shows in words. */
export function missRatioDrawing(at: number): string {
  const { marks, curve } = marksOf(at)
  const scale = (RIGHT - LEFT) / Math.log2(curve.at(-1)!.max)
  const x = (max: number) => (LEFT + Math.log2(max) * scale).toFixed(1)
  const y = (ratio: number) => (BOTTOM - ratio * (BOTTOM - TOP)).toFixed(1)
  const path = curve.map(({ max, hitRatio }) => `${x(max)} ${y(hitRatio)}`).join('L')
  const texts = marks.map(({ max, hitRatio }) => `${whole(max)}: ${percent(hitRatio)}`)
  const dots = marks
    .map(({ max, hitRatio }) => `<circle cx="${x(max)}" cy="${y(hitRatio)}" r="3.5"/>`)
    .join('')
  const ticks = [0, 0.5, 1]
    .map((ratio) => `<text x="${LEFT - 4}" y="${y(ratio)}" dy="4">${percent(ratio)}</text>`)
    .join('')
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" class="drawn-curve">
<title>Hits by entries in the cache, for recorded requests: ${texts.join(', ')}.</title>
<g class="axis"><path d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}"/></g>
<g class="ticks" text-anchor="end">${ticks}</g>
<path class="line" d="M${path}"/><g class="dots">${dots}</g>
<text x="${RIGHT}" y="${BOTTOM + 16}" text-anchor="end">entries, each step twice as many</text>
<text x="${LEFT}" y="${BOTTOM + 34}">${texts.join(' · ')}</text>
</svg>`
}

function whole(n: number): string {
  return n.toLocaleString('en-US')
}

function percent(ratio: number): string {
  return `${Math.round(100 * ratio)} %`
}
