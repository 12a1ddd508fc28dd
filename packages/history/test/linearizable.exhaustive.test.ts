// Every history of up to four operations, and 100,000 random ones of up to eight: the search and
// the definition must agree on each. The small tests before the large ones are for mutation runs,
// which try them alone.

import { describe, expect, test } from 'vitest'
import { hasLegalOrder, opsOf } from './oracles/brute-force.ts'
import { Chance } from './oracles/chance.ts'
import { historyOf, type Kind, subjects } from './oracles/kinds.ts'
import { type Shape, shapesOf, subsetsOf } from './oracles/shapes.ts'

const RANDOM_HISTORIES = 100_002

describe.each(subjects)('the search agrees with the definition for a $name', (subject) => {
  test.each([
    ['three', 3, 100],
    ['four', 4, 10_000],
  ])('on every history of at most %s operations', (_, most, least) => {
    const disagreements: unknown[] = []
    let judged = 0
    for (let count = 0; count <= most; count++) {
      for (const open of subsetsOf(count)) {
        const choices = Array.from({ length: count }, (_, i) => {
          return open.has(i) ? subject.open : subject.ended
        })
        const shapes = shapesOf(count, open)
        for (const kinds of productOf(choices)) {
          for (const shape of shapes) {
            const history = historyOf(shape, kinds)
            const { ok } = subject.check(history, { explain: false })
            if (ok !== hasLegalOrder(opsOf(history), subject.object)) disagreements.push(history)
            judged++
          }
        }
      }
    }
    expect(disagreements).toEqual([])
    expect(judged).toBeGreaterThan(least)
  })

  test.each([
    ['1,000', 1_000],
    ['100,000', RANDOM_HISTORIES],
  ])('on a seventh of %s random histories of at most eight operations', (_, all) => {
    const chance = new Chance(1990)
    const each = all / subjects.length
    const disagreements: unknown[] = []
    let legal = 0
    for (let i = 0; i < each; i++) {
      const { shape, kinds } = randomShape(chance, 1 + chance.below(8), subject)
      const history = historyOf(shape, kinds)
      const { ok, orders } = subject.check(history, { explain: false })
      if (ok !== hasLegalOrder(opsOf(history), subject.object)) disagreements.push(history)
      if (ok === true) legal++
      if (ok === true && !isLegalOrder(orders[0]!.ids, opsOf(history))) disagreements.push(orders)
    }
    expect(disagreements).toEqual([])
    // Both answers must come up often, or the test says little.
    expect(legal).toBeGreaterThan(each / 15)
    expect(legal).toBeLessThan((each * 14) / 15)
  })

  /** Whether an order keeps real time, holds what is required, and replays. */
  function isLegalOrder(ids: readonly number[], ops: ReturnType<typeof opsOf>): boolean {
    const order = ids.map((id) => ops.find((op) => op.id === id)!)
    const required = ops.filter((op) => op.to !== Number.POSITIVE_INFINITY)
    const keepsTime = order.every((op, i) => order.slice(i).every((later) => later.to >= op.from))
    let state = subject.object.initial
    for (const op of order) {
      if (state !== undefined) state = subject.object.step(state, op)
    }
    return keepsTime && required.every((op) => order.includes(op)) && state !== undefined
  }
})

/** Every way to take one of each. */
function* productOf(choices: readonly (readonly Kind[])[]): Generator<Kind[]> {
  const [first, ...rest] = choices
  if (first === undefined) yield []
  else for (const kinds of productOf(rest)) for (const kind of first) yield [kind, ...kinds]
}

/** A shape in which few operations run at once, so that many histories are legal. */
function randomShape(
  chance: Chance,
  count: number,
  { ended, open }: (typeof subjects)[number],
): { shape: Shape; kinds: Kind[] } {
  const shape: number[] = []
  const kinds: Kind[] = []
  const running: number[] = []
  for (let begun = 0; begun < count || running.length > 0; ) {
    if (begun < count && (running.length === 0 || chance.below(3) > 0)) {
      const isOpen = chance.below(8) === 0
      kinds.push(chance.pick(isOpen ? open : ended))
      shape.push(begun)
      if (!isOpen) running.push(begun)
      begun++
    } else {
      const [number] = running.splice(chance.below(running.length), 1)
      shape.push(~number!)
    }
  }
  return { shape, kinds }
}
