import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { docExamples, withoutExample } from '../scripts/doc-examples.ts'
import { unnamed } from '../scripts/doc-tags.ts'
import { rooms } from '../scripts/house.ts'
import { readPublicApi } from '../scripts/public-api.ts'
import { closeStages, needsRedis, runExample } from './doc-stage.ts'

const folder = process.cwd()

beforeAll(() => {
  // Examples print, and some write a file where they stand.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  process.chdir(mkdtempSync(join(tmpdir(), 'ashlar-examples-')))
})

afterAll(async () => {
  process.chdir(folder)
  await closeStages(['breaker', 'id', 'resilience'])
})

const api = readPublicApi()
const examples = docExamples(api)
const nameless = unnamed(api)

describe.each(rooms().map(({ name }) => name))('the docstrings of %s', (room) => {
  test('have an example of each class and function', () => {
    const lacking = withoutExample(api)
      .filter((exported) => exported.room === room)
      .map(({ module, name, place }) => `${module} ${name} (${place})`)
    expect(lacking).toEqual([])
  })

  test('name every parameter and every error', () => {
    const lacking = nameless.filter((each) => each.room === room).map(({ line }) => line)
    expect(lacking).toEqual([])
  })

  const own = examples
    .map((example, number) => ({ ...example, number }))
    .filter((example) => example.room === room && !needsRedis(example))
  test.for(own)('show $title as it is', async (example) => {
    await runExample(example, example.number)
  })
})
