// The modules of the API reference: every subpath that a package exports, by the name that users
// import it by.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rooms, root } from './house.ts'

/** An importable module of a package. */
export interface EntryPoint {
  /** As users write it: `@ashlar/shard/postgres`. */
  readonly name: string
  /** Its source file, absolute. */
  readonly file: string
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly source: string }>>
}

/** All modules of all packages, a package's root before its subpaths. */
export function entryPoints(): EntryPoint[] {
  return rooms().flatMap(({ name }) => {
    const folder = join(root, 'packages', name)
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return Object.entries(manifest.exports).flatMap(([path, to]) =>
      typeof to === 'string'
        ? []
        : [{ name: `@ashlar/${name}${path.slice(1)}`, file: join(folder, to.source) }],
    )
  })
}
