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
})

function bound(time: VirtualTime) {
  return { timers: time.timers, now: time.now, pass: (ms: number) => time.pass(ms) }
}
