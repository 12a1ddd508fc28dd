import { expect, test } from 'vitest'
import { runAtlas } from '../src/atlas.ts'
import { surroundings } from './stage.ts'

async function simulated(seed: number): Promise<string> {
  const around = surroundings()
  expect(await runAtlas(['--simulate', `${seed}`], around)).toBe(0)
  expect(around.stderr.text).toBe('')
  return around.stdout.text
}

test('a simulation prints its faults and a hash that is the same for the same seed', async () => {
  const text = await simulated(7)
  expect(text).toMatch(/hash +[0-9a-f]{16}\n/u)
  expect(text).toContain('No acknowledged write lost, no stale read.')
  expect(await simulated(7)).toBe(text)
  expect(await simulated(8)).not.toBe(text)
})
