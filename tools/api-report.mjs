// The public surface of a package as text: for each entry of its exports, every name with its
// declaration as a user's compiler sees it, without comments, sorted. It is committed as `api.md`
// beside the package, so that a review sees each change of the surface.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
// The newest compiler has no API for programs; the oldest one that packages promise to fit has.
import ts from 'typescript-5.4'

/** @returns {string} Markdown. Needs the package to be built. */
export function apiReport(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entries = Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([path, target]) => ({ path, file: join(folder, target.types) }))
  const missing = entries.find(({ file }) => !existsSync(file))
  if (missing !== undefined) throw new Error(`${missing.file} is not there: run tsc -b first`)
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    {
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      ...{ target: ts.ScriptTarget.ES2022, types: [], skipLibCheck: true, noEmit: true },
    },
  )
  const checker = program.getTypeChecker()
  const exported = entries.map(({ file }) => exportsOf(checker, program.getSourceFile(file)))
  // What one entry exports or has named already, the others need not say again.
  const seen = new Set(exported.flat().map(([, symbol]) => symbol))
  const parts = entries.map(({ path }, i) => {
    const name = path === '.' ? manifest.name : `${manifest.name}/${path.slice(2)}`
    const surface = surfaceOf(checker, exported[i], seen)
    return `## ${name}\n\n\`\`\`ts\n${surface}\n\`\`\`\n`
  })
  const head = `# What ${manifest.name} exports\n\nMade by \`node tools/pnpm.mjs run api\`.\n`
  return [head, ...parts].join('\n')
}

function exportsOf(checker, file) {
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file))
  return symbols.map((symbol) => [symbol.name, origin(checker, symbol)])
}

/** What an entry exports, and after it what that names without being exported anywhere. */
function surfaceOf(checker, exported, seen) {
  const named = []
  for (const [, symbol] of exported) nameAll(checker, symbol, seen, named)
  const hidden = named.length > 0 ? ['', '// Named above, not exported:', textOf(named)] : []
  return [textOf(exported), ...hidden].join('\n')
}

function nameAll(checker, symbol, seen, named) {
  for (const other of namedIn(checker, symbol)) {
    if (seen.has(other)) continue
    seen.add(other)
    named.push([other.name, other])
    nameAll(checker, other, seen, named)
  }
}

function textOf(symbols) {
  return symbols
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { declarations = [] }]) => declarations.map(declarationText).join('\n'))
    .join('\n')
}

/** The symbols of this package that a declaration names. */
function namedIn(checker, { declarations = [] }) {
  const found = new Set()
  const visit = (node) => {
    if (isPrivate(node)) return
    const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
    const target = symbol && origin(checker, symbol)
    if (target && isOwn(target)) found.add(target)
    ts.forEachChild(node, visit)
  }
  for (const declaration of declarations) visit(declaration)
  return found
}

/** Whether a symbol is a declaration at the top of a file of ours, no member and no parameter. */
function isOwn({ declarations = [] }) {
  return declarations.some((node) => {
    const { parent } = node
    if (parent === undefined) return false
    const isTop = ts.isSourceFile(parent) || ts.isVariableDeclarationList(parent)
    return isTop && !node.getSourceFile().fileName.includes('/node_modules/')
  })
}

function isPrivate(node) {
  const hasModifier = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  return hasModifier || (node.name !== undefined && ts.isPrivateIdentifier(node.name))
}

function origin(checker, symbol) {
  const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
  return isAlias ? checker.getAliasedSymbol(symbol) : symbol
}

/** Without comments and private members, which are no user's business. */
function declarationText(node) {
  const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node
  const printer = ts.createPrinter({ removeComments: true, omitTrailingSemicolon: true })
  const text = printer.printNode(ts.EmitHint.Unspecified, whole, whole.getSourceFile())
  return text
    .replace(/^(?:export |declare |default )+/u, '')
    .split('\n')
    .filter((line) => !/^\s*(?:#private|private )/u.test(line))
    .join('\n')
}

/**
 * How large a change from one report to another is: a line that is gone or other than it was may
 * break users, lines that came cannot.
 *
 * @returns {'none' | 'minor' | 'major'}
 */
export function sizeOfChange(before, after) {
  const lines = countedLines(after)
  for (const line of linesOf(before)) {
    const left = (lines.get(line) ?? 0) - 1
    if (left < 0) return 'major'
    lines.set(line, left)
  }
  return [...lines.values()].some((left) => left > 0) ? 'minor' : 'none'
}

function countedLines(report) {
  const counted = new Map()
  for (const line of linesOf(report)) counted.set(line, (counted.get(line) ?? 0) + 1)
  return counted
}

function linesOf(report) {
  return report.split('\n').filter((line) => line.trim() !== '')
}
