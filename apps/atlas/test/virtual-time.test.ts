import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { VirtualTime } from '../src/virtual-time.ts'

describe('virtual time', () => {
  test('lets things happen in order, and what follows from each before the next', async () => {
    const { timers, now, pass } = bound(new VirtualTime())
    const told: string[] = []
    const tell = (what: string) => told.push(`${what} at ${now()}`)
    timers.setTimeout(() => tell('late'), 30)
    timers.setTimeout(async () => {
      tell('early')
      await null
      await null
      tell('follows')
      timers.setTimeout(() => tell('between'), 5)
    }, 10)
    timers.clearTimeout(timers.setTimeout(() => tell('never'), 20))
    await pass(29)
    expect(told).toEqual(['early at 10', 'follows at 10', 'between at 15'])
    expect(now()).toBe(29)
    await pass(1)
    expect(told.at(-1)).toBe('late at 30')
  })

  test('stands still until real work is done, also if that fails', async () => {
    const time = new VirtualTime()
    const told: string[] = []
    const end = (what: string): void => void told.push(`${what} at ${time.now()}`)
    time.timers.setTimeout(async () => {
      await time.work(setTimeout(20))
      end('first')
      await time.work(setTimeout(5).then(() => Promise.reject(new Error('no')))).catch(Boolean)
      end('second')
    }, 10)
    time.timers.setTimeout(() => end('next'), 11)
    await time.pass(15)
    expect(told).toEqual(['first at 10', 'second at 10', 'next at 11'])
  })
})

function bound(time: VirtualTime) {
  return { timers: time.timers, now: time.now, pass: (ms: number) => time.pass(ms) }
}
