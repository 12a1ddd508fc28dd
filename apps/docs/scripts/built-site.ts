// The site as it was built: its pages, where their links lead, what their scripts weigh. Read from
// the HTML that VitePress wrote, which is all that a static host knows.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { site } from './house.ts'

/** Where the built site is. */
export const dist: string = join(site, '.vitepress', 'dist')

/** A page of the built site. */
export interface BuiltPage {
  /** Its address: `/packages/ring.html`, `/` for the first. */
  readonly path: string
  readonly html: string
}

/** The scripts of a page. */
export interface PageWeight {
  readonly path: string
  /** Bytes of compressed JavaScript that the page needs, its playgrounds left out. */
  readonly pageBytes: number
  /** What its playgrounds add. */
  readonly playgroundBytes: number
  readonly hasPlayground: boolean
}

const SCRIPT = /<(?:script[^>]* src|link rel="modulepreload" href)="(?<path>[^"]+\.js)"/gu
const STATIC_IMPORT =
  /(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{][^'"()]*?from\s*)?"(?<to>\.[^"]+)"/gu
const PLAYGROUND = /data-playground="(?<name>\w+)"/gu

/**
 * All pages but that of the missing page.
 *
 * @throws {Error} if the site has not been built.
 */
export function builtPages(): BuiltPage[] {
  if (!existsSync(join(dist, 'index.html'))) {
    throw new Error('The site is not built: run `node tools/pnpm.mjs run docs` first')
  }
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.html') && file !== '404.html')
    .sort()
    .map((file) => {
      const path = `/${file.replaceAll('\\', '/')}`.replace(/\/index\.html$/u, '/')
      return { path, html: readFileSync(join(dist, file), 'utf8') }
    })
}

/** What the scripts of a page weigh, each file compressed by itself as hosts do. */
export function weigh({ path, html }: BuiltPage): PageWeight {
  const entries = [...html.matchAll(SCRIPT)].map((match) => join(dist, match.groups!.path!))
  const needed = closure(entries)
  const names = [...html.matchAll(PLAYGROUND)].map((match) => match.groups!.name!)
  const later = closure(names.map(chunkOf)).filter((file) => !needed.includes(file))
  return {
    path,
    pageBytes: compressed(needed),
    playgroundBytes: compressed(later),
    hasPlayground: names.length > 0,
  }
}

/** Links that lead nowhere, as `from -> to`. */
export function deadLinks(pages: readonly BuiltPage[]): string[] {
  const anchors = new Map(pages.map(({ path, html }) => [path, idsOf(html)]))
  return pages.flatMap(({ path, html }) => {
    const links = [...html.matchAll(/ href="(?<to>[^"]+)"/gu)].map((match) => match.groups!.to!)
    return [...new Set(links)]
      .filter((to) => isDead(to, path, anchors))
      .map((to) => `${path} -> ${to}`)
  })
}

function isDead(to: string, from: string, anchors: ReadonlyMap<string, Set<string>>): boolean {
  const url = new URL(to.replaceAll('&amp;', '&'), `http://site${from}`)
  if (url.host !== 'site') return false
  const path = decodeURIComponent(url.pathname)
  const ids = anchors.get(path.replace(/\/index\.html$/u, '/'))
  if (ids === undefined) return !existsSync(join(dist, path)) || path.endsWith('/')
  return url.hash !== '' && !ids.has(decodeURIComponent(url.hash.slice(1)))
}

function idsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/ id="(?<id>[^"]+)"/gu)].map((match) => match.groups!.id!))
}

/** The scripts and all that they import, once each. */
function closure(entries: readonly string[]): string[] {
  const found = new Set(entries)
  for (const file of found) {
    for (const { groups } of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
      found.add(join(dirname(file), groups!.to!))
    }
  }
  return [...found]
}

/** The chunk of a playground: it is called as its component's file is. */
function chunkOf(name: string): string {
  const file = name.replaceAll(/(?<=[a-z])(?=[A-Z])/gu, '-').toLowerCase()
  const chunks = join(dist, 'assets', 'chunks')
  const chunk = readdirSync(chunks).find(
    (each) => each.startsWith(`${file}.`) && each.endsWith('.js'),
  )
  if (chunk === undefined)
    throw new Error(`${name} is no chunk of its own in ${relative(site, chunks)}`)
  return join(chunks, chunk)
}

function compressed(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0)
}
