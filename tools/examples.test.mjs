// Every example of a README and of a page of the site runs from source, with its claims
// (`// → value`) as assertions.

import { spawnSync } from 'node:child_process'
import { globSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { asCommonJs, examplesOf, runsOn } from './examples.mjs'

const root = join(import.meta.dirname, '..')
// The suite depends on every package, so that any example's imports resolve from there.
const suite = join(root, 'apps', 'suite')

function runExample(code) {
  const args = ['--conditions=source', '--input-type=module', '-']
  return spawnSync(process.execPath, args, { cwd: suite, input: code, encoding: 'utf8' })
}

describe.each(globSync('{.,packages/*}/README.md', { cwd: root }))('%s', (readme) => {
  const examples = examplesOf(join(root, readme))

  test('has an example, and the example claims something', () => {
    expect(examples.length).toBeGreaterThan(0)
    expect(examples[0].claims).toBeGreaterThan(0)
  })

  test.each(examples)('runs as it says at line $line', ({ code }) => {
    expect(runExample(code)).toMatchObject({ status: 0, stderr: '' })
  })
})

const pages = globSync('apps/docs/{*.md,{about,guide,packages,ko}/**/*.md}', { cwd: root })
  .map((page) => ({ page, examples: examplesOf(join(root, page)) }))
  .filter(({ examples }) => examples.length > 0)

describe.each(pages)('$page', ({ examples }) => {
  test.each(examples)('runs as it says at line $line', ({ code }) => {
    expect(runExample(code)).toMatchObject({ status: 0, stderr: '' })
  })
})

describe('the example runner', () => {
  const file = join(tmpdir(), `ashlar-example-${process.pid}.md`)
  afterAll(() => rmSync(file, { force: true }))

  const block = (code, tag = '') => {
    writeFileSync(file, `text\n\n\`\`\`js${tag}\n${code}\n\`\`\`\n`)
    return examplesOf(file)[0]
  }

  test('fails an example whose claim is wrong', () => {
    expect(runExample(block('1 + 1 // → 2').code).status).toBe(0)
    expect(runExample(block('1 + 1 // → 3').code).status).not.toBe(0)
    expect(runExample(block('const sum = 1 + 1 // → 3').code).status).not.toBe(0)
  })

  test('says where a block stands and which Node it needs', () => {
    expect(block('1', ' node>=22.13')).toMatchObject({ line: 3, node: '22.13', claims: 0 })
    expect(runsOn('20.20.2', '22.13')).toBe(false)
    expect(runsOn('22.13.0', '22.13')).toBe(true)
    expect(runsOn('26.1.0', '22.13')).toBe(true)
  })

  test('rewrites imports for require()', () => {
    expect(asCommonJs("import { a as b, c } from 'd'\n")).toContain(
      "const { a: b, c } = require('d')",
    )
  })
})
