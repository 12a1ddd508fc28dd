// What a journal remembers, wherever its end was torn off.

import { VersionVector } from '@ashlar/clock'
import { expect, test } from 'vitest'
import { Journal, type JournalFile } from '../src/journal.ts'
import type { Message } from '../src/message.ts'

class MemoryFile implements JournalFile {
  text = ''
  read = async () => this.text
  append = async (text: string) => {
    this.text += text
  }
  replace = async (text: string) => {
    this.text = text
  }
}

function said(room: string, count: number): Message {
  return { room, id: `m${count}`, author: 'ann', text: 'é', from: 'a~1', stamp: { 'a~1': count } }
}

const options = { newSelf: 'a~2', keeps: (room: string) => room === 'kept' }
const stable = (count: number) => VersionVector.of({ 'a~1': count })

test('a journal torn at any place opens with what was whole, and goes on', async () => {
  const file = new MemoryFile()
  await Journal.open(file, { ...options, newSelf: 'a~1' })
  const head = file.text.length
  const journal = await Journal.open(file, options)
  await journal.append([said('kept', 1), said('kept', 2)], VersionVector.empty)
  await journal.append([said('kept', 3)], VersionVector.empty)
  const whole = file.text
  for (let end = head; end <= whole.length; end++) {
    file.text = whole.slice(0, end)
    const { self, messages, known } = await Journal.open(file, options)
    expect(self).toBe('a~1')
    expect(messages).toEqual([1, 2, 3].map((n) => said('kept', n)).slice(0, messages.length))
    expect(known.get('a~1')).toBe(messages.length)
    const again = await Journal.open(file, options)
    await again.append([said('kept', messages.length + 1)], VersionVector.empty)
    expect((await Journal.open(file, options)).messages).toHaveLength(messages.length + 1)
  }
})

test('what is stable in rooms of others is let go, not that it was known', async () => {
  const file = new MemoryFile()
  const journal = await Journal.open(file, options)
  await journal.append([said('kept', 1), said('other', 2), said('other', 3)], stable(2))
  const { self, messages, known } = await Journal.open(file, options)
  expect(self).toBe('a~2')
  expect(messages).toEqual([said('kept', 1), said('other', 3)])
  expect(known.toJSON()).toEqual({ 'a~1': 3 })
  expect((await Journal.open(file, options)).stable.toJSON()).toEqual({ 'a~1': 2 })
})
