// What the packages export, read by the compiler from their sources: every class and function by
// the name it is exported under, with its docstring. Typedoc checks that all is documented; this
// is for what typedoc does not ask: parameters, thrown errors, examples that run.

import { join } from 'node:path'
import ts from 'typescript'
import { type EntryPoint, entryPoints } from './entry-points.ts'
import { root, site } from './house.ts'

/** A function, a method or a constructor that users call. */
export type Callable = ts.FunctionDeclaration | ts.MethodDeclaration | ts.ConstructorDeclaration

/** A class or a function that a module exports. */
export interface PublicExport {
  /** The module: `@ashlar/shard/postgres`. */
  readonly module: string
  readonly name: string
  /** The package without its scope. */
  readonly room: string
  readonly node: ts.ClassDeclaration | ts.FunctionDeclaration
  /** Where it stands, relative to the root. */
  readonly place: string
}

/** The packages as one program, and what they export. */
export interface PublicApi {
  readonly checker: ts.TypeChecker
  readonly exports: readonly PublicExport[]
}

/** Reads all packages; takes some seconds. */
export function readPublicApi(): PublicApi {
  const entries = entryPoints()
  const file = join(site, 'tsconfig.api.json')
  const config = ts.getParsedCommandLineOfConfigFile(
    file,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  )
  const program = ts.createProgram(
    entries.map((entry) => entry.file),
    config!.options,
  )
  const checker = program.getTypeChecker()
  return { checker, exports: entries.flatMap((entry) => exportsOf(entry, program, checker)) }
}

function exportsOf(
  { name, file }: EntryPoint,
  program: ts.Program,
  checker: ts.TypeChecker,
): PublicExport[] {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)
  return checker.getExportsOfModule(module!).flatMap((exported) => {
    if (exported.declarations?.some(ts.isTypeOnlyExportDeclaration)) return []
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
    const node = symbol.declarations?.find(
      (each) => ts.isClassDeclaration(each) || ts.isFunctionDeclaration(each),
    )
    if (node === undefined || !(ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node)))
      return []
    const room = name.split('/')[1]!
    return [{ module: name, name: exported.name, room, node, place: placeOf(node) }]
  })
}

/** The file and line of a node, relative to the root. */
export function placeOf(node: ts.Node): string {
  const source = node.getSourceFile()
  const { line } = source.getLineAndCharacterOfPosition(node.getStart())
  return `${source.fileName.slice(root.length + 1)}:${line + 1}`
}

/** What of an export users call: the function itself, or the public methods and the constructor. */
export function callables({ node }: PublicExport): Callable[] {
  if (ts.isFunctionDeclaration(node)) return [node]
  return node.members.flatMap((member) => {
    const isCallable = ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)
    return isCallable && isPublic(member) ? [member] : []
  })
}

function isPublic(member: ts.MethodDeclaration | ts.ConstructorDeclaration): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  if ((ts.getCombinedModifierFlags(member) & hidden) !== 0) return false
  if (ts.getJSDocTags(member).some((tag) => tag.tagName.text === 'internal')) return false
  return member.name === undefined || !ts.isPrivateIdentifier(member.name)
}
