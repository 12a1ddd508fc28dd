// The files of the page, read once when the server starts and served from memory, so that no
// request names a path on the disk. TypeScript goes out with its types taken off.

import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'

/** A file as it is sent. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
}

const FOLDER = new URL('../page/', import.meta.url)

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/javascript; charset=utf-8',
}

/** Every file of the page by the path it is asked for; `/` is index.html. */
export async function readAssets(): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>()
  for (const name of await readdir(FOLDER)) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const text = await readFile(new URL(name, FOLDER), 'utf8')
    const body = Buffer.from(name.endsWith('.ts') ? withoutTypes(text) : text)
    assets.set(name === 'index.html' ? '/' : `/${name}`, { type, body })
  }
  return assets
}

/**
 * Node runs this app by the same stripping without a word, but warns that the function for it is
 * experimental; the warning is held back for the call, since the user can do nothing about it.
 */
function withoutTypes(text: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(text)
  } finally {
    process.emitWarning = emitWarning
  }
}
