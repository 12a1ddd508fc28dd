// Each package's smoke test as an application would ship it to a browser: bundled by Vite and by
// esbuild from what was installed, and run in Chromium.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright'
import { CHROMIUM_ARGS, findChromium } from './chromium.mjs'
import { bundlersFromNpm } from './from-npm.mjs'

/** @returns {AsyncGenerator<{ name: string, bundler: string, problem: string | undefined }>} */
export async function* bundledInChromium(names, project) {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('there is no Chromium: set CHROMIUM_BIN')
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS })
  try {
    for (const [bundler, bundle] of Object.entries({ esbuild: byEsbuild, vite: byVite })) {
      for (const name of names) {
        const problem = await problemOf(browser, () => bundle(project, entryOf(name, project)))
        yield { name, bundler, problem }
      }
    }
  } finally {
    await browser.close()
  }
}

function entryOf(name, project) {
  const file = join(project, `browser-${name}.mjs`)
  const text = `import test from './parts-${name}.mjs'
globalThis.outcome = Promise.resolve(test()).then((parts) => parts.map(String).join())
`
  writeFileSync(file, text)
  return file
}

async function problemOf(browser, bundle) {
  const page = await browser.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(error.message))
  try {
    await page.addScriptTag({ content: await bundle(), type: 'module' })
    await page.waitForFunction(() => globalThis.outcome !== undefined, undefined, {
      timeout: 20_000,
    })
    const outcome = await page.evaluate(() => globalThis.outcome)
    if (outcome.includes('false')) problems.push(`wrong: ${outcome}`)
  } catch (error) {
    problems.push(error.message)
  } finally {
    await page.close()
  }
  return problems.length > 0 ? problems.join('\n') : undefined
}

async function byEsbuild(project, entry) {
  const esbuild = await import(moduleIn('esbuild/lib/main.js'))
  const options = { bundle: true, format: 'esm', platform: 'browser', write: false }
  const { outputFiles } = await esbuild.build({
    ...options,
    absWorkingDir: project,
    entryPoints: [entry],
    logLevel: 'silent',
  })
  return outputFiles[0].text
}

async function byVite(project, entry) {
  const { build } = await import(moduleIn('vite/dist/node/index.js'))
  const outDir = join(project, 'built-by-vite')
  mkdirSync(outDir, { recursive: true })
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      rolldownOptions: { input: entry, output: { entryFileNames: 'entry.js' } },
    },
  })
  return readFileSync(join(outDir, 'entry.js'), 'utf8')
}

function moduleIn(path) {
  return pathToFileURL(join(bundlersFromNpm(), path)).href
}
