import { describe, expect, test } from 'vitest'
import { type Blow, type Course, play } from './reshard-stage.ts'

const FORWARD = [
  { at: 'ready', wish: 'cutover' },
  { at: 'reversible', wish: 'finish' },
] as const
const ADD = { shards: ['a', 'b'], change: { add: ['c'] } }
const REMOVE = { shards: ['a', 'b', 'c'], change: { remove: ['b'] } }

/** Jobs of every kind, there and back. */
const COURSES: readonly Course[] = [
  { name: 'adding a shard', ...ADD, wishes: FORWARD, end: 'done' },
  { name: 'removing a shard', ...REMOVE, wishes: FORWARD, end: 'done' },
  {
    name: 'aborting while it copies',
    ...ADD,
    wishes: [{ at: 'copying', wish: 'abort' }],
    end: 'aborted',
  },
  {
    name: 'going there, back and there again',
    ...ADD,
    wishes: [FORWARD[0], { at: 'reversible', wish: 'reverse' }, ...FORWARD],
    end: 'done',
  },
  {
    name: 'going back for good',
    ...REMOVE,
    wishes: [FORWARD[0], { at: 'reversible', wish: 'abort' }],
    end: 'aborted',
  },
]

/** How far apart the steps are at which each blow falls: a crash at every one of the first. */
const BLOWS: readonly [blow: Blow, every: number][] = [
  ['die', 3],
  ['sleep', 10],
  ['fail', 10],
]

describe.each(COURSES)('$name', (course) => {
  test.each(BLOWS)(
    'ends the same when a worker is made to %s, whenever that is',
    { timeout: 300_000 },
    async (blow, apart) => {
      const { steps, verdict } = await play(course)
      expect(verdict).toBeUndefined()
      const every = blow === 'die' && course === COURSES[0] ? 1 : apart
      const wrong: string[] = []
      for (let step = 0; step < steps; step += every) {
        const found = await play(course, { strikes: [{ step, blow }], seed: step })
        if (found.verdict !== undefined) wrong.push(`${step}: ${found.verdict}`)
      }
      expect(wrong).toEqual([])
    },
  )
})
