// Requests drawn from a seed, in four acts that tell policies apart: everyday (some keys far more
// often than others), a scan over keys that never return, a loop a little larger than most caches,
// and everyday again with other favourites.

import { diceOf } from '../../atlas/src/dice.ts'
import type { Requests } from './recorded-requests.ts'

const ACT = 8_000
const EVERYDAY_KEYS = 4_000
const SCAN_KEYS = 6_000
const LOOP_KEYS = 500

/** 32,000 requests of a seed. */
export function drawRequests(seed: number): Requests {
  const roll = diceOf(seed * 17 + 3)
  const sequence = new Int32Array(4 * ACT)
  const zipf = zipfOf(EVERYDAY_KEYS)
  const shift = Math.floor(EVERYDAY_KEYS / 3)
  for (let at = 0; at < ACT; at++) {
    const everyday = zipf(roll())
    const scanned = EVERYDAY_KEYS + (at % SCAN_KEYS)
    const looped = EVERYDAY_KEYS + SCAN_KEYS + (at % LOOP_KEYS)
    sequence[at] = zipf(roll())
    sequence[at + ACT] = roll() < 0.6 ? scanned : everyday
    sequence[at + 2 * ACT] = roll() < 0.6 ? looped : everyday
    sequence[at + 3 * ACT] = (zipf(roll()) + shift) % EVERYDAY_KEYS
  }
  return { sequence, keys: EVERYDAY_KEYS + SCAN_KEYS + LOOP_KEYS }
}

/** Key k is 1 / (k + 1) times as likely as key 0. */
function zipfOf(keys: number): (roll: number) => number {
  const upTo = new Float64Array(keys)
  let sum = 0
  for (let key = 0; key < keys; key++) {
    sum += 1 / (key + 1)
    upTo[key] = sum
  }
  return (roll) => {
    const wanted = roll * sum
    let least = 0
    let most = keys - 1
    while (least < most) {
      const middle = (least + most) >> 1
      if (upTo[middle]! < wanted) least = middle + 1
      else most = middle
    }
    return least
  }
}
