// How a job is doing, as a line for people: a bar where there is something to be full of.

import type { ReshardProgress } from '../reshard/index.ts'
import { bytesText } from './text-table.ts'

const BAR = 24

/** The line, at most so many columns long. */
export function progressLine(progress: ReshardProgress, columns: number): string {
  const { state, direction, rows, slots, bytes, etaMs, lagKeys, paused } = progress
  const parts = [direction === 'back' ? `${state} (back)` : state]
  const share = shareOf(progress)
  if (share !== undefined) parts.push(bar(share), `${Math.floor(share * 100)} %`)
  if (state === 'copying') {
    parts.push(`${count(rows.copied)} of ${count(rows.total)} rows`, bytesText(bytes.copied))
    if (etaMs !== undefined) parts.push(`${durationText(etaMs)} left`)
  }
  if (state === 'freezing') parts.push(`${count(slots.flipped)} of ${count(slots.total)} slots`)
  if (lagKeys > 0) parts.push(`${count(lagKeys)} changes behind`)
  if (progress.flips > 0) parts.push(`freeze ${Math.round(progress.freezeMs.max)} ms at most`)
  if (paused !== undefined) parts.push(`paused: ${paused.message}`)
  const line = parts.join('  ')
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`
}

/** How much of what its state is about is done, from 0 to 1. */
function shareOf({ state, direction, rows, slots }: ReshardProgress): number | undefined {
  const of = (done: number, total: number) => (total === 0 ? 1 : Math.min(1, done / total))
  switch (state) {
    case 'copying':
      // Rows that came since the job was made are no part of the total.
      return rows.total > 0 ? of(rows.copied, rows.total) : of(slots.copied, slots.total)
    case 'verifying':
      return of(slots.verified, slots.total)
    case 'freezing': {
      const share = of(slots.flipped, slots.total)
      return direction === 'back' ? 1 - share : share
    }
    default:
      return undefined
  }
}

/** A time as people say it. */
export function durationText(ms: number): string {
  const s = Math.round(ms / 1_000)
  if (s < 120) return `${s} s`
  const minutes = Math.round(s / 60)
  if (minutes < 120) return `${minutes} min`
  return `${(minutes / 60).toFixed(1)} h`
}

function bar(share: number): string {
  const full = Math.round(share * BAR)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`
}

function count(n: number): string {
  return n.toLocaleString('en-US')
}
