// What a package exports is committed beside it, so that no surface changes unseen.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { apiReport, sizeOfChange } from './api-report.mjs'

const packages = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages')

describe('api.md', () => {
  test.each(readdirSync(packages))('of %s is what it exports', (name) => {
    const folder = join(packages, name)
    // Tests run from source; whoever has not built has nothing to compare with, and `npm test` has.
    expect(existsSync(join(folder, 'dist', 'index.d.ts')), 'run tsc -b first').toBe(true)
    expect(readFileSync(join(folder, 'api.md'), 'utf8')).toBe(apiReport(folder))
  })
})

describe('a change of a surface', () => {
  const before = 'class A {\n  get(key: string): number\n}\nfunction f(): void\n'

  test('is none where lines only changed places', () => {
    expect(sizeOfChange(before, `function f(): void\n${before.replace(/function.*\n/u, '')}`)).toBe(
      'none',
    )
  })

  test('is minor where something came', () => {
    expect(sizeOfChange(before, `${before}function g(): void\n`)).toBe('minor')
  })

  test('is major where something went, or is other than it was', () => {
    expect(sizeOfChange(before, before.replace('function f(): void\n', ''))).toBe('major')
    expect(sizeOfChange(before, before.replace('string', 'number'))).toBe('major')
  })
})
