// `node tools/pnpm.mjs run api`: writes each package's surface into its api.md. With --since REV,
// writes nothing and asks instead whether what changed since then has a changeset of its size: a
// surface that lost something needs a major one (a minor one before 1.0), one that gained a minor.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { apiReport, sizeOfChange } from './api-report.mjs'

const SIZES = ['none', 'patch', 'minor', 'major']
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({ options: { since: { type: 'string' } } })
const names = readdirSync(join(root, 'packages'))

if (values.since === undefined) write()
else compare(values.since)

function write() {
  for (const name of names) {
    const folder = join(root, 'packages', name)
    writeFileSync(join(folder, 'api.md'), apiReport(folder))
  }
}

function compare(revision) {
  const given = changesetSizes()
  let isMissing = false
  for (const name of names) {
    const file = `packages/${name}/api.md`
    const before = spawnSync('git', ['show', `${revision}:${file}`], {
      cwd: root,
      encoding: 'utf8',
    })
    // A package that was not there then broke nobody.
    if (before.status !== 0) continue
    const needed = neededSize(name, before.stdout, readFileSync(join(root, file), 'utf8'))
    const is = given.get(`@ashlar/${name}`) ?? 'none'
    const isEnough = SIZES.indexOf(is) >= SIZES.indexOf(needed)
    isMissing ||= !isEnough
    console.log(`${isEnough ? 'ok' : 'not ok'} @ashlar/${name} needs ${needed}, has ${is}`)
  }
  process.exitCode = isMissing ? 1 : 0
}

function neededSize(name, before, after) {
  const size = sizeOfChange(before, after)
  const manifest = join(root, 'packages', name, 'package.json')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
  return size === 'major' && version.startsWith('0.') ? 'minor' : size
}

/** The largest size that the changesets waiting give to each package. */
function changesetSizes() {
  const sizes = new Map()
  const folder = join(root, '.changeset')
  for (const file of readdirSync(folder).filter((one) => one.endsWith('.md'))) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, name, size] of text.matchAll(/^['"]?(@ashlar\/[a-z-]+)['"]?: (\w+)$/gmu)) {
      const known = sizes.get(name) ?? 'none'
      if (SIZES.indexOf(size) > SIZES.indexOf(known)) sizes.set(name, size)
    }
  }
  return sizes
}
