// What the search costs. It tries steps in an order that depends on the history alone, so its cost
// is a fact to be written down: a shortcut that no longer works shows here, though every answer is
// still right. Whoever changes the order on purpose writes the new numbers down.

import { describe, expect, test } from 'vitest'
import { Chance } from './oracles/chance.ts'
import { historyOf, type Kind, type Subject, subjects } from './oracles/kinds.ts'

/** Steps for 400 histories of each object, with operations of unknown outcome and without. */
const RECORDED: Readonly<Record<string, readonly [mixed: number, certain: number]>> = {
  'cas-register': [16_824, 19_826],
  queue: [39_156, 24_865],
  counter: [8_999, 5_388],
  lock: [16_556, 15_631],
  ticket: [4_628, 2_471],
  'ticket with gaps': [3_538, 4_122],
  set: [7_603, 12_182],
}

describe.each(subjects)('a search for a $name', (subject) => {
  test.each([
    ['some of them of unknown outcome', 0, true],
    ['all of them ended', 1, false],
  ])('takes as many steps as ever for operations, %s', (_, which, isMixed) => {
    const chance = new Chance(26)
    let steps = 0
    for (let i = 0; i < 400; i++) {
      const history = crowdedHistory(chance, subject, isMixed)
      steps += subject.check(history).steps
    }
    expect(steps).toBe(RECORDED[subject.name]![which]!)
  })
})

/** Ten operations, of which up to six run at once. */
function crowdedHistory(chance: Chance, { ended, open }: Subject, isMixed: boolean) {
  const shape: number[] = []
  const kinds: Kind[] = []
  const running: number[] = []
  while (kinds.length < 10 || running.length > 0) {
    const isBegin = kinds.length < 10 && running.length < 6 && chance.below(5) > 1
    if (isBegin || running.length === 0) {
      const isOpen = isMixed && chance.below(3) === 0
      shape.push(kinds.length)
      if (!isOpen) running.push(kinds.length)
      kinds.push(chance.pick(isOpen ? open : ended))
    } else {
      shape.push(~running.splice(chance.below(running.length), 1)[0]!)
    }
  }
  return historyOf(shape, kinds)
}
