// How the service behind the breaker is doing, and the tape of what was done to it.

import { diceOf } from '../../atlas/src/dice.ts'

/** How the service is doing. */
export interface Weather {
  /** Percent of calls that fail. */
  readonly failing: number
  /** What a call takes in the mean, in milliseconds. */
  readonly latencyMs: number
  /** Calls a second. */
  readonly load: number
}

/** A change of weather, at a step. */
export interface TapeEntry extends Weather {
  readonly step: number
}

/** A quiet day. */
export const CLEAR: Weather = { failing: 2, latencyMs: 300, load: 22 }

/** The outages that a seed has in store, over so many steps. */
export function outagesOf(seed: number, steps: number): readonly TapeEntry[] {
  const roll = diceOf(seed * 97 + 5)
  const tape: TapeEntry[] = [{ step: 0, ...CLEAR }]
  for (let step = 80 + Math.floor(roll() * 40); step < steps; ) {
    const isSlow = roll() < 0.3 && tape.length > 2
    const failing = 60 + 5 * Math.floor(roll() * 8)
    tape.push({ step, ...CLEAR, ...(isSlow ? { latencyMs: 1600 } : { failing }) })
    step += 140 + Math.floor(roll() * 120)
    tape.push({ step, ...CLEAR })
    step += 200 + Math.floor(roll() * 160)
  }
  return tape
}

export function writeTape(tape: readonly TapeEntry[]): string {
  return tape
    .map(({ step, failing, latencyMs, load }) => `${step}f${failing}l${latencyMs}c${load}`)
    .join(',')
}

/** The entries of a text, by step; what is none of them is left out. */
export function readTape(text: string, steps: number): readonly TapeEntry[] {
  const entries: TapeEntry[] = []
  for (const part of text.split(',').slice(0, 200)) {
    const found = /^(\d{1,4})f(\d{1,3})l(\d{2,4})c(\d{1,2})$/u.exec(part)
    if (found === null) continue
    const [step, failing, latencyMs, load] = found.slice(1).map(Number)
    const isRight = step! < steps && failing! <= 100 && latencyMs! >= 20 && latencyMs! <= 2000
    if (isRight && load! >= 1 && load! <= 40) {
      entries.push({ step: step!, failing: failing!, latencyMs: latencyMs!, load: load! })
    }
  }
  return entries.sort((a, b) => a.step - b.step)
}
