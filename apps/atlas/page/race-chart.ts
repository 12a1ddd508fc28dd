// The curves of the race: hit ratio of each part of the requests, the clairvoyant one as a shore
// above all others, and the acts of the crowd as stretches of the ground.

import type { RaceFigures } from '../src/snapshot.ts'
import { svg } from './canvas-stack.ts'

const LEFT = 38
const TOP = 22
const BOTTOM = 22

const ACTS: Record<string, string> = {
  everyday: 'everyday',
  festival: 'a festival travels',
  census: 'a census scans',
  after: 'everyday again',
}

/** Draws the race into a box; `colours` are those of the lanes. */
export function drawRace(
  box: HTMLElement,
  race: RaceFigures,
  colours: readonly string[],
  chosen: string,
): void {
  const width = Math.max(260, box.clientWidth)
  const height = width > 620 ? 300 : 240
  const perLap = race.requests / race.laps
  const top = ceiling(race, perLap)
  const x = (lap: number): number => LEFT + (lap / race.laps) * (width - LEFT - 2)
  const y = (ratio: number): number => TOP + (1 - ratio / top) * (height - TOP - BOTTOM)
  const curve = (laps: readonly number[]): string => {
    return laps
      .map((hits, i) => `${x(i + 0.5).toFixed(1)} ${y(hits / perLap).toFixed(1)}`)
      .join('L')
  }
  const picture = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `Hit ratios of ${race.lanes.length} policies and the optimum`,
  })
  picture.append(...ground(race, x, y, top))
  const { laps } = race.optimum
  if (laps.length > 1) {
    const shore = `M${x(0.5)} ${y(0)}L${curve(laps)}L${x(laps.length - 0.5)} ${y(0)}z`
    picture.append(svg('path', { class: 'shore', d: shore }))
    picture.append(svg('path', { class: 'optimum', d: `M${curve(laps)}` }))
    const early = Math.max(...laps.slice(1, 14)) / perLap
    const place = { x: x(3), y: Math.max(TOP + 14, y(early) - 8) }
    picture.append(svg('text', { class: 'of-optimum', ...place }, 'clairvoyant'))
  }
  // The chosen one last, on top.
  const order = race.lanes.map((_, i) => i).sort((a, b) => isIt(a) - isIt(b))
  function isIt(i: number): number {
    return Number(race.lanes[i]!.id === chosen)
  }
  for (const i of order) {
    const lane = race.lanes[i]!
    if (lane.laps.length < 2) continue
    const kind = lane.id === chosen ? 'curve is-chosen' : 'curve'
    const attributes = { class: kind, 'data-lane': lane.id, stroke: colours[i]! }
    picture.append(svg('path', { ...attributes, d: `M${curve(lane.laps)}` }))
  }
  box.replaceChildren(picture)
}

/** The next tenth above the highest point, and room for a guess before there is any. */
function ceiling({ optimum, laps, served }: RaceFigures, perLap: number): number {
  // The last part may have only begun.
  const best = Math.max(0, ...optimum.laps) / perLap
  return served === 0 || laps === 0 ? 0.7 : Math.min(1, Math.max(0.4, Math.ceil(best * 10) / 10))
}

function ground(
  { acts, requests, laps }: RaceFigures,
  x: (lap: number) => number,
  y: (ratio: number) => number,
  top: number,
): SVGElement[] {
  const marks: SVGElement[] = []
  for (const [i, { name, from, until }] of acts.entries()) {
    const [start, end] = [x((from / requests) * laps), x((until / requests) * laps)]
    const field = { x: start, y: y(top), width: end - start, height: y(0) - y(top) }
    if (i % 2 === 1) marks.push(svg('rect', { class: 'act', ...field }))
    const text = end - start > 110 ? ACTS[name] : name
    marks.push(svg('text', { class: 'act-name', x: (start + end) / 2, y: y(0) + 16 }, text ?? name))
  }
  for (let ratio = 0; ratio <= top + 0.001; ratio += 0.1) {
    const at = y(ratio)
    marks.push(svg('line', { class: 'rule', x1: LEFT, y1: at, x2: x(laps), y2: at }))
    if (Math.round(ratio * 10) % 2 === 0) {
      marks.push(
        svg('text', { class: 'tick', x: LEFT - 6, y: at + 4 }, `${Math.round(ratio * 100)} %`),
      )
    }
  }
  return marks
}
