// Style as a test: what a reader may rely on in every file and every package of this house.
// Biome holds the rest (format, columns, functions of at most 70 lines), knip the dead code.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ambientUses, withoutComments } from './ambient.mjs'

const root = join(import.meta.dirname, '..')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--deduplicate'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))
const packages = readdirSync(join(root, 'packages'))

/** Which packages a package may import at run time: arrows are few and point one way. */
const ARROWS = { ring: ['hash'], shard: ['hash', 'ring'] }

const HEADINGS = ['Install', 'Example', 'Why this one', 'Guarantees', 'When not to use it', 'API']

const read = (file) => readFileSync(join(root, file), 'utf8')
const isCode = (file) => /\.(ts|mjs|js|vue|css|html)$/u.test(file)
const isCore = (file) => /^packages\/[^/]+\/src\//u.test(file)
const code = files.filter(isCode)
const changesets = files.filter((file) => /^\.changeset\/(?!README).+\.md$/u.test(file))

/** The files in which `complaint` finds something, as lines a person can act on. */
function complaints(among, complaint) {
  return among.flatMap((file) => {
    const said = complaint(read(file), file)
    return said ? [`${file}: ${said}`] : []
  })
}

describe('every file', () => {
  test('of code has at most 400 lines', () => {
    const long = (text) => {
      const lines = text.split('\n').length - 1
      return lines > 400 && `${lines} lines`
    }
    expect(complaints(code, long)).toEqual([])
  })

  test('of code has at most 100 columns', () => {
    const wide = (text) => {
      const at = text.split('\n').findIndex((line) => line.length > 100 && !/https?:/u.test(line))
      return at >= 0 && `line ${at + 1}`
    }
    expect(complaints(code, wide)).toEqual([])
  })

  test('is named in kebab-case for what it holds', () => {
    const vague = /^(utils?|types?|helpers?|common|misc|shared)\b/u
    const bad = code.filter((file) => {
      const name = basename(file)
      return vague.test(name) || !/^[a-z0-9.-]+$/u.test(name)
    })
    expect(bad).toEqual([])
  })

  test('is finished: nothing to do later, nothing switched off', () => {
    // Split so that this very line is not what it looks for.
    const marks = new RegExp(
      ['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK', '@ts-' + 'ignore', 'biome-' + 'ignore']
        .map((mark) => `\\b${mark}\\b|${mark}`)
        .concat(String.raw`\b(?:it|test|describe)\.(?:skip|only|todo|fails)\b`)
        .join('|'),
      'u',
    )
    expect(complaints(code, (text) => marks.exec(text)?.[0])).toEqual([])
  })

  test('names no registry and no host of one', () => {
    const host = new RegExp(`https?://[^\\s"']*${'regi' + 'stry'}`, 'u')
    expect(complaints(files, (text) => host.exec(text)?.[0])).toEqual([])
    expect(/https?:\/\//u.exec(read('pnpm-lock.yaml'))).toBeNull()
  })
})

test.each(changesets)('%s says in its front matter which packages it changes', (file) => {
  expect(read(file)).toMatch(/^---\n('@ashlar\/[a-z]+': (major|minor|patch)\n)+---\n\n\S/u)
})

describe('every source file of a package', () => {
  const cores = files.filter(isCore)
  const withHeader = cores.filter((file) => basename(file) !== 'index.ts')

  test('begins by saying what it is, or is a single documented export', () => {
    const bare = (text) => !/^(?:#!.*\n+)?(\/\/|\/\*\*|import )/u.test(text) && 'no header comment'
    expect(complaints(withHeader, bare)).toEqual([])
  })

  test('runs anywhere: no browser or Node globals, no node: import', () => {
    // `process` is also a word of the field, so only its Node members count.
    const bound = new RegExp(
      [
        String.raw`(?<![.\w])(?:document|window|Buffer)\s*[.[(]`,
        String.raw`(?<![.\w])process\.(?:env|argv|exit|std|nextTick|hrtime|on\b|versions|cwd)`,
        "from 'node:",
      ].join('|'),
      'u',
    )
    const platform = (text, file) =>
      !/\/(?:server|cli|engine)/u.test(file) && bound.exec(withoutComments(text))?.[0]
    expect(complaints(cores, platform)).toEqual([])
  })

  test('takes time and randomness as options: ambient ones only as their default value', () => {
    // The drain hands the thread back to the host between events: it is below time, not of it.
    const free = ['packages/sim/src/drain.ts']
    const uses = (text, file) => {
      const [use] = free.includes(file) ? [] : ambientUses(text)
      return use && `line ${use.line}: ${use.found}`
    }
    expect(complaints(cores, uses)).toEqual([])
  })

  test('imports only the packages that its arrows allow', () => {
    const stray = (text, file) => {
      const [, own] = file.split('/')
      const allowed = ARROWS[own] ?? []
      const found = [...text.matchAll(/from '@ashlar\/([\w-]+)/gu)].map((match) => match[1])
      return found.find((name) => !allowed.includes(name))
    }
    expect(complaints(cores, stray)).toEqual([])
  })

  test('called index.ts only re-exports', () => {
    const more = (text) => /^(?!export (?:type )?\{|export \*|\s|\}|\/\/|$).+/mu.exec(text)?.[0]
    expect(
      complaints(
        cores.filter((file) => basename(file) === 'index.ts'),
        more,
      ),
    ).toEqual([])
  })
})

describe('the search for ambient time and randomness', () => {
  test.each([
    'const t = Date.now()',
    'setTimeout(() => done(), 5)',
    'const id = crypto.randomUUID()',
    'if (Math.random() < 0.5) return',
    'const s = AbortSignal.timeout(5)',
    "import { setTimeout } from 'node:timers/promises'",
    'const started = performance.now()',
  ])('finds %s', (line) => {
    expect(ambientUses(line)).toHaveLength(line.includes('import') ? 2 : 1)
  })

  test.each([
    'constructor({ now = Date.now, random = Math.random }: Options = {}) {',
    'const monotonic = options.monotonic ?? (() => performance.now())',
    'this.#timers.setTimeout(wake, 5)',
    '  setTimeout(callback: () => void, ms: number): unknown',
    '// never Date.now() here',
    'const randomBytes = options.randomBytes ?? ((out) => crypto.getRandomValues(out))',
  ])('allows %s', (line) => {
    expect(ambientUses(line)).toEqual([])
  })
})

describe.each(packages)('the package %s', (name) => {
  const folder = join('packages', name)
  const manifest = JSON.parse(read(join(folder, 'package.json')))

  test('has the same files as every other', () => {
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'tsconfig.json']
    const missing = [...expected, 'src/index.ts', 'test'].filter(
      (file) => !existsSync(join(root, folder, file)),
    )
    expect(missing).toEqual([])
    expect(read(join(folder, 'LICENSE'))).toBe(read('LICENSE'))
  })

  test('has a README with the same headings as every other, of at most 120 lines', () => {
    const text = read(join(folder, 'README.md'))
    expect(text.split('\n')[0]).toBe(`# @ashlar/${name}`)
    expect([...text.matchAll(/^## (.+)$/gmu)].map((match) => match[1])).toEqual(HEADINGS)
    expect(text.split('\n').length).toBeLessThanOrEqual(121)
  })

  test('links in its README lead to files that exist', () => {
    const links = [...read(join(folder, 'README.md')).matchAll(/\]\((?!https?:|#)([^)#\s]+)/gu)]
    const dead = links.map((match) => match[1]).filter((to) => !existsSync(join(root, folder, to)))
    expect(dead).toEqual([])
  })

  test('publishes what the others publish, the way they do', () => {
    expect(manifest).toMatchObject({
      name: `@ashlar/${name}`,
      type: 'module',
      license: 'MIT',
      sideEffects: false,
      engines: { node: '>=20.19' },
    })
    const strip = ({ source, ...rest }) => rest
    const published = Object.fromEntries(
      Object.entries(manifest.exports).map(([path, to]) => [
        path,
        typeof to === 'string' ? to : strip(to),
      ]),
    )
    expect(manifest.publishConfig).toEqual({ access: 'public', exports: published })
  })

  test('has a changelog or a changeset that says what is new', () => {
    const pending = changesets.some((file) => read(file).includes(`'@ashlar/${name}':`))
    const logged = read(join(folder, 'CHANGELOG.md')).includes(`## ${manifest.version}`)
    expect(pending || logged).toBe(true)
  })

  test('stands in the table of the root README and in the compiler’s references', () => {
    expect(read('README.md')).toContain(`[\`@ashlar/${name}\`](packages/${name})`)
    expect(read('tsconfig.json')).toContain(`"packages/${name}"`)
  })
})
