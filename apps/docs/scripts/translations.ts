// Which Korean pages are behind the English ones. A page under ko/ says in its front matter which
// text it is a translation of, as a hash: `source: 3f9c2a51d07b`. Run as a program it lists the
// pages and what is out of date about them; `--stamp ko/guide/shard-key.md` enters the hash of the
// English page as it is now, once the translation has been brought up to it.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { pagesIn, site } from './house.ts'

const SOURCE = /^source: *(?<hash>\w*)$/mu
const FRONT_MATTER = /^---\n.*?^---\n/msu

/** The Korean pages, as paths in the site. */
export function translations(): string[] {
  return ['ko', 'ko/guide', 'ko/about'].flatMap((folder) => {
    return pagesIn(folder).map((file) => `${folder}/${file}`)
  })
}

/** English guides that have no translation. */
export function untranslated(): string[] {
  const wanted = ['index.md', ...pagesIn('guide').map((file) => `guide/${file}`)]
  return wanted.filter((page) => !existsSync(join(site, 'ko', page)))
}

/** What is out of date about a Korean page, or undefined if nothing is. */
export function complaint(page: string): string | undefined {
  const original = join(site, page.slice('ko/'.length))
  if (!existsSync(original)) return `${page} has no English page: remove it`
  const said = SOURCE.exec(FRONT_MATTER.exec(readFileSync(join(site, page), 'utf8'))?.[0] ?? '')
  const hash = hashOf(original)
  if (said?.groups?.hash === hash) return undefined
  const stamped = `node apps/docs/scripts/translations.ts --stamp ${page}`
  const mend = `bring it up to date, then run \`${stamped}\``
  const text = said?.groups?.hash || 'an unknown text'
  return `${page} translates ${text}, English is ${hash}: ${mend}`
}

/** Enters the hash of the English page into the front matter of its translation. */
function stamp(page: string): void {
  const file = join(site, page)
  const text = readFileSync(file, 'utf8')
  const line = `source: ${hashOf(join(site, page.slice('ko/'.length)))}`
  const matter = FRONT_MATTER.exec(text)?.[0]
  if (matter === undefined) {
    writeFileSync(file, `---\n${line}\n---\n\n${text}`)
  } else {
    const stamped = SOURCE.test(matter)
      ? matter.replace(SOURCE, line)
      : matter.replace(/\n---\n$/u, `\n${line}\n---\n`)
    writeFileSync(file, text.replace(matter, stamped))
  }
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)
}

if (import.meta.main) {
  const [flag, ...pages] = argv.slice(2)
  if (flag === '--stamp') for (const page of pages) stamp(page)
  const said = translations().flatMap((page) => complaint(page) ?? [])
  for (const text of said) console.log(text)
  for (const page of untranslated()) console.log(`${page} has no Korean translation`)
  console.log(`${translations().length} Korean pages, ${said.length} out of date`)
  if (said.length > 0) process.exitCode = 1
}
