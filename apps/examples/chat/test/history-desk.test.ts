// A room's history on its way from node to node: whole, from a node that knows enough, whatever is
// late, doubled or lost, and whoever dies meanwhile.

import { VersionVector } from '@ashlar/clock'
import { beforeEach, expect, test } from 'vitest'
import { type History, HistoryDesk } from '../src/history-desk.ts'
import type { Datagram, Message } from '../src/message.ts'

const vector = (count: number) => VersionVector.of({ 'a~1': count })

/** So many messages of a room, each about a quarter of a page. */
function historyOf(count: number): History {
  const messages = Array.from({ length: count }, (_, i): Message => {
    const draft = { room: 'hall', id: `m${i}`, author: 'ann', text: 'x'.repeat(2_000) }
    return { ...draft, from: 'a~1', stamp: { 'a~1': i + 1 } }
  })
  return { messages, known: vector(count) }
}

let home: string | undefined
let asked: { to: string; at: number }[]
let desk: HistoryDesk

beforeEach(() => {
  home = 'a'
  asked = []
  const send = (to: string, datagram: Datagram) => {
    if (datagram.kind === 'ask') asked.push({ to, at: datagram.at })
  }
  desk = new HistoryDesk(send, () => home)
})

/** Answers what was asked last, so often, from a history. */
function answer(history: History, times = 1): void {
  const { to, at } = asked.at(-1)!
  const send = (_: string, page: Datagram) => {
    for (let i = 0; i < times; i++) if (page.kind === 'page') desk.take(to, page)
  }
  new HistoryDesk(send, () => undefined).answer('b', { kind: 'ask', room: 'hall', at }, history)
}

test('comes page by page, each once however often it arrives', async () => {
  const fetched = desk.fetch('hall', vector(0))
  for (let i = 0; i < 4; i++) answer(historyOf(10), 3)
  expect((await fetched).messages).toEqual(historyOf(10).messages)
  expect(asked.map(({ at }) => at)).toEqual([0, 3, 6, 9])
})

test('is asked for again when it does not come', async () => {
  const fetched = desk.fetch('hall', vector(0))
  desk.tick()
  answer(historyOf(1))
  expect((await fetched).messages).toHaveLength(1)
  expect(asked).toHaveLength(2)
})

test('is not whole before its home knows as much as the node that asks', async () => {
  const fetched = desk.fetch('hall', vector(2))
  answer(historyOf(1))
  desk.tick()
  answer(historyOf(3))
  expect((await fetched).known.toJSON()).toEqual({ 'a~1': 3 })
})

test('is good enough for everybody who waits for it', async () => {
  const first = desk.fetch('hall', vector(1))
  const second = desk.fetch('hall', vector(2))
  answer(historyOf(1))
  desk.tick()
  answer(historyOf(2))
  expect(await second).toBe(await first)
  expect((await second).messages).toHaveLength(2)
})

test('begins anew at the heir when the home goes away', async () => {
  const fetched = desk.fetch('hall', vector(0))
  answer(historyOf(5))
  home = undefined
  desk.tick()
  home = 'c'
  desk.tick()
  for (let i = 0; i < 2; i++) answer(historyOf(5))
  expect((await fetched).messages).toEqual(historyOf(5).messages)
  expect(asked.map(({ to, at }) => `${to}${at}`)).toEqual(['a0', 'a3', 'c0', 'c3'])
})
