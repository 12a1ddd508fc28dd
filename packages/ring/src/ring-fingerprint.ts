// Do two processes route alike? A ring's fingerprint is 64 bits of what decides that, and nothing
// else: XXH64 (seed 0), as 16 hexadecimal digits, of these lines joined by "\n", in UTF-8:
//
//   ["@ashlar/ring",1,hash name,hash of the key "ashlar",virtualNodes,seed]
//   [id,weight,zone or null]                                    one per node, sorted by id
//
// each as JSON.stringify writes it. Fields of the caller's own do not count.

import { xxh64Hex } from '@ashlar/hash'
import type { Member } from './member.ts'
import type { PlacementRule } from './ring-hash.ts'

/** The fingerprint of a ring with these members, which must be sorted by id. */
export function fingerprintOf(
  rule: PlacementRule,
  options: { readonly virtualNodes: number; readonly seed: number },
  members: readonly Member[],
): string {
  const { virtualNodes, seed } = options
  const lines = [JSON.stringify(['@ashlar/ring', 1, rule.name, rule.probe, virtualNodes, seed])]
  for (const { id, weight, zone } of members) lines.push(JSON.stringify([id, weight, zone ?? null]))
  return xxh64Hex(lines.join('\n'))
}
