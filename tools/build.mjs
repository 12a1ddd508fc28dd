// `node tools/pnpm.mjs run build`: what the packages publish, into their dist folders. Declarations
// are a file for each module, as the compiler writes them. The code is joined to a file for each
// entry, and to chunks where entries share it, since each file that is read costs an importer about
// a millisecond; it is not minified, and its source maps lead to the published sources.

import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { droppable } from './droppable.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CODE = /^\.\/dist\/(?<entry>.+)\.js$/u

const { status } = spawnSync('tsc', ['-b'], {
  cwd: root,
  shell: process.platform === 'win32',
  stdio: 'inherit',
})
if (status === 0) {
  for (const name of readdirSync(join(root, 'packages'))) await bundle(join(root, 'packages', name))
} else {
  process.exitCode = 1
}

async function bundle(folder) {
  const dist = join(folder, 'dist')
  for (const old of globSync('**/*.{js,js.map,d.ts,d.ts.map}', { cwd: dist })) {
    const source = join(folder, 'src', old.replace(/\.d\.ts(?:\.map)?$/u, '.ts'))
    // The compiler leaves the declarations of modules that are gone.
    if (!existsSync(source)) rmSync(join(dist, old))
  }
  const build = await rolldown({
    cwd: folder,
    input: entriesOf(folder),
    platform: 'neutral',
    external: (id) => !/^[./]/u.test(id),
    plugins: [droppable],
    experimental: { nativeMagicString: true },
    onLog(_level, { message }) {
      throw new Error(`${folder}: ${message}`)
    },
  })
  await build.write({
    dir: dist,
    chunkFileNames: 'chunks/[name].js',
    // One chunk of what many entries share is read sooner than several small ones.
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 3 }] },
    comments: { legal: true, annotation: true, jsdoc: false },
    minifyInternalExports: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  })
  await build.close()
}

/** The modules that the manifest names, as exports and as programs, by their path within `src`. */
function entriesOf(folder) {
  const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = [...Object.values(exports).map((one) => one.default), ...Object.values(bin)]
  const entries = files.flatMap((file) => CODE.exec(file ?? '')?.groups.entry ?? [])
  return Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`]))
}
