// The examples of a README as programs: every fenced `js` block, in which a line that ends in
// `// → value` becomes an assertion, so that documentation cannot say what the code does not do.
// A block tagged with a version (```js node>=22.13) is for that Node and later.

import { readFileSync } from 'node:fs'

const FENCE = /^```js(?:[ \t]+node>=(?<node>[\d.]+))?[ \t]*\n(?<code>.*?)^```$/gmsu
const CLAIM = /^(?<indent>\s*)(?<statement>.*?)\s*\/\/ → (?<value>.+)$/u
const IMPORT = /^import (?<names>\{[^}]*\}) from (?<from>'[^']+')$/gmu

/**
 * The examples of a Markdown file.
 *
 * @param {string} file
 * @returns {{ code: string, source: string, claims: number, line: number, node?: string }[]} the
 *   block with its assertions in place and how many those are, the block as it stands, the line
 *   where it begins, the least Node it needs.
 */
export function examplesOf(file) {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(FENCE)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    const { code, claims } = withAssertions(match.groups.code)
    return { code, claims, line, node: match.groups.node, source: match.groups.code }
  })
}

/** The same example for `require()`: the imports rewritten, the rest inside an async function. */
export function asCommonJs(code) {
  const body = code.replaceAll(IMPORT, (_, names, from) => {
    return `const ${names.replaceAll(' as ', ': ')} = require(${from})`
  })
  const fail = '(error) => { console.error(error); process.exit(1) }'
  return `(async () => {\n${body}\n})().catch(${fail})\n`
}

/** Whether the Node of this version runs an example tagged with `least`. */
export function runsOn(version, least) {
  if (least === undefined) return true
  const [have, need] = [version, least].map((v) => v.split('.').map(Number))
  for (let i = 0; i < need.length; i++) {
    if ((have[i] ?? 0) !== need[i]) return (have[i] ?? 0) > need[i]
  }
  return true
}

/**
 * Turns each `expression // → value` into an assertion; a declaration is asserted by its name.
 *
 * @param {string} source
 * @returns {{ code: string, claims: number }}
 */
export function withAssertions(source) {
  let claims = 0
  const lines = source.split('\n').map((text) => {
    const claim = CLAIM.exec(text)?.groups
    if (claim === undefined) return text
    claims++
    const declared = /^(?:const|let) (?<name>\w+)(?:: \w+)? = /u.exec(claim.statement)?.groups.name
    return declared === undefined
      ? `${claim.indent}deepEqual(${claim.statement}, ${claim.value})`
      : `${claim.indent}${claim.statement}; deepEqual(${declared}, ${claim.value})`
  })
  const header = claims > 0 ? "import { deepStrictEqual as deepEqual } from 'node:assert'\n" : ''
  return { code: header + lines.join('\n'), claims }
}
