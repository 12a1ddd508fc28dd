// What the examples of @ashlar/ring have at hand.

import { HashRing } from '@ashlar/ring'

export const ring: HashRing = new HashRing(['cache-1', 'cache-2', 'cache-3'])

export function copyRange(_from: string, _to: string, _start: number, _end: number): void {}

export async function isUp(): Promise<boolean> {
  return true
}
