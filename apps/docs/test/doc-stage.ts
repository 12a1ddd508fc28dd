// Puts the examples of docstrings on stage: each becomes a file, its free names imported from what
// the packages export or from the stage of its package, and is then run like any module.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DocExample } from '../scripts/doc-examples.ts'
import { entryPoints } from '../scripts/entry-points.ts'
import { site } from '../scripts/house.ts'

const folder = join(site, '.vitepress', 'cache', 'examples')
const stages = import.meta.glob('./stages/*.ts')

/** Whether an example needs a Redis. */
export function needsRedis({ code }: DocExample): boolean {
  return /\bnew Redis/u.test(code)
}

/**
 * Runs an example.
 *
 * @throws {Error} that names what the example uses and nobody has, or what it failed by.
 */
export async function runExample(example: DocExample, number: number): Promise<void> {
  const imports = await importsOf(example)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${example.room}-${needsRedis(example) ? 'redis-' : ''}${number}.ts`)
  writeFileSync(file, programOf(imports, example.code))
  await import(/* @vite-ignore */ file)
}

/** Ends what the stages of these packages have started. */
export async function closeStages(rooms: readonly string[]): Promise<void> {
  for (const room of rooms) {
    const stage = stageOf(room)
    const has: { close?: () => Promise<void> } = stage === undefined ? {} : await load(stage)
    await has.close?.()
  }
}

/** Examples are parts of functions: they may return. Imports go to the top. */
function programOf(imports: readonly string[], code: string): string {
  const lines = code.split('\n')
  const own = lines.filter((line) => line.startsWith('import '))
  const rest = lines.filter((line) => !line.startsWith('import '))
  return [...imports, ...own, 'await (async () => {', ...rest, '})()', ''].join('\n')
}

/** A name may also be declared in a smaller scope: that of the module itself is always there. */
async function importsOf(example: DocExample): Promise<string[]> {
  const { module, room, used, free } = example
  const imports: string[] = []
  let open = used.filter((name) => !(name in globalThis))
  const server = needsRedis(example) ? stageOf('redis') : undefined
  for (const source of [module, server, ...siblings(module, room), stageOf(room), ...roots()]) {
    if (source === undefined || open.length === 0) continue
    const has = Object.keys(await load(source))
    const names = open.filter((name) => has.includes(name))
    if (names.length > 0) imports.push(`import { ${names.join(', ')} } from '${source}'`)
    open = open.filter((name) => free.includes(name) && !names.includes(name))
  }
  if (open.length > 0)
    throw new Error(`nobody has ${open.join(', ')}: put it into stages/${room}.ts`)
  return imports
}

function siblings(module: string, room: string): string[] {
  return entryPoints()
    .map(({ name }) => name)
    .filter((name) => name !== module && name.split('/')[1] === room && !name.endsWith('/vitest'))
}

function roots(): string[] {
  return entryPoints()
    .map(({ name }) => name)
    .filter((name) => name.split('/').length === 2)
}

function stageOf(room: string): string | undefined {
  return `./stages/${room}.ts` in stages ? join(site, 'test', 'stages', `${room}.ts`) : undefined
}

async function load(source: string): Promise<object> {
  return (await import(/* @vite-ignore */ source)) as object
}
