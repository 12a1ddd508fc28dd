// A set of values: `add v`, `remove v`, `has v` with the result true or false, and `read` with the
// array of all that are in it, each once, in any order.

import type { Model } from '../model.ts'
import type { Operation } from '../operation.ts'
import { valueKey } from '../value-key.ts'

type Members = ReadonlySet<string | number>

/**
 * A set, empty at first: `add v`, `remove v`, `has v` → true or false, `read` → array.
 *
 * @example
 * // Ann added 'x', and Bob, who asked later, did not find it.
 * checkLinearizable(memberships, set()).ok // → false
 */
export function set(): Model<Members> {
  return {
    name: 'set',
    operations: ['add', 'remove', 'has', 'read'],
    init: () => new Set(),
    step,
    ignoresProcess: true,
    key: (members) => JSON.stringify([...members].sort(byText)),
    isRead: ({ f }) => f === 'has' || f === 'read',
    complaint: ({ f, outcome, result }) => {
      if (outcome !== 'ok') return undefined
      if (f === 'has' && typeof result !== 'boolean') return 'result must be true or false'
      return f === 'read' && !Array.isArray(result) ? 'result must be an array' : undefined
    },
  }
}

function step(members: Members, { f, argument, outcome, result }: Operation): Members | undefined {
  if (f === 'read') {
    if (outcome !== 'ok') return members
    const listed = (result as unknown[]).map(valueKey)
    const isWhole = listed.length === members.size && new Set(listed).size === members.size
    return isWhole && listed.every((one) => members.has(one)) ? members : undefined
  }
  const member = valueKey(argument)
  const isIn = members.has(member)
  if (f === 'has') return outcome !== 'ok' || isIn === result ? members : undefined
  if (isIn === (f === 'add')) return members
  const next = new Set(members)
  if (f === 'add') next.add(member)
  else next.delete(member)
  return next
}

/** Numbers and strings in one order that depends on nothing but them. */
function byText(a: string | number, b: string | number): number {
  const [left, right] = [`${typeof a}${a}`, `${typeof b}${b}`]
  return left < right ? -1 : left > right ? 1 : 0
}
