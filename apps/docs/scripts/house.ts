// What the site knows about the house it describes: where it stands, which packages there are and
// what each is for. Read from the manifests and the root README, so that it is said once.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** The folder of the site. */
export const site: string = join(root, 'apps', 'docs')

/**
 * The public address of the repository's files, without a slash at its end; empty as long as there
 * is none, and then a path into the repository is plain text instead of a link.
 */
export const repository: string = ''

/** A published package, as the site presents it. */
export interface Room {
  /** Without the scope: `ring`. */
  readonly name: string
  /** One line, from its manifest. */
  readonly purpose: string
  /** Its subpath exports without the dot: `/postgres`. */
  readonly subpaths: readonly string[]
  /** What it brings along at run time. */
  readonly dependencies: readonly string[]
}

interface Manifest {
  readonly description: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The packages in the order of the root README's table. */
export function rooms(): Room[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const listed = [...readme.matchAll(/\]\(packages\/(?<name>[a-z]+)\)/gu)]
  const names = new Set(listed.map((match) => match.groups!.name!))
  return [...names].map(room)
}

/** The title of a page: its first heading, or the name of the file. */
export function titleOf(file: string): string {
  const text = readFileSync(file, 'utf8')
  const name = file.replace(/^.*\//u, '').replace('.md', '')
  return /^# (?<title>.+)$/mu.exec(text)?.groups?.title?.replaceAll('`', '') ?? name
}

/** The Markdown files of a folder of the site, by name. */
export function pagesIn(folder: string): string[] {
  const path = join(site, folder)
  if (!existsSync(path)) return []
  return readdirSync(path).filter((file) => file.endsWith('.md'))
}

function room(name: string): Room {
  const file = join(root, 'packages', name, 'package.json')
  const manifest: Manifest = JSON.parse(readFileSync(file, 'utf8'))
  const subpaths = Object.keys(manifest.exports)
    .map((path) => path.slice(1))
    .filter((path) => path !== '' && path !== '/package.json')
  const { description: purpose, dependencies = {} } = manifest
  return { name, purpose, subpaths, dependencies: Object.keys(dependencies) }
}
