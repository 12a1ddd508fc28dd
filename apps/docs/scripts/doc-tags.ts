// What typedoc does not ask of a docstring: that it names every parameter and every error that is
// thrown. A parameter is named by `@param`, or by its word in the text ("the key", `ttlMs`), there
// or in the interface that the method implements; an error by `@throws`, or as one that it throws.

import ts from 'typescript'
import {
  type Callable,
  callables,
  type PublicApi,
  type PublicExport,
  placeOf,
} from './public-api.ts'

/** Parameters and thrown errors that no docstring names, a line each, by package. */
export function unnamed(api: PublicApi): { readonly room: string; readonly line: string }[] {
  const seen = new Set<ts.Node>()
  return api.exports.flatMap((exported) => {
    if (seen.has(exported.node)) return []
    seen.add(exported.node)
    const lines = callables(exported).flatMap((callable) => lacking(callable, exported, api))
    return lines.map((line) => ({ room: exported.room, line }))
  })
}

function lacking(callable: Callable, exported: PublicExport, { checker }: PublicApi): string[] {
  // Errors are made by the package, users only read them.
  const isMade = ts.isConstructorDeclaration(callable)
  if (isMade && isError(exported.node)) return []
  const text = docOf(callable, exported.node, checker)
  const member = isMade || callable === exported.node ? '' : `.${callable.name!.getText()}`
  const name = exported.name + member
  const parameters = callable.parameters
    .filter((parameter) => !isNamed(parameter, text))
    .map((parameter) => `${name}: parameter ${parameter.name.getText()}, ${placeOf(callable)}`)
  const errors = [...thrownBy(callable, checker)]
    .filter((error) => !text.includes(error) && !/@throws|[Tt]hrows|[Rr]ejects/u.test(text))
    .map((error) => `${name}: throws ${error}, ${placeOf(callable)}`)
  return [...parameters, ...errors]
}

/** The docstring, that of the class of a constructor, and those of what a method implements. */
function docOf(callable: Callable, owner: ts.Node, checker: ts.TypeChecker): string {
  const symbol =
    callable.name === undefined ? undefined : checker.getSymbolAtLocation(callable.name)
  // Overloads share the docstring of the first.
  const texts = [callable, ...(symbol?.declarations ?? [])].flatMap((each) => {
    return ts.getJSDocCommentsAndTags(each).map((doc) => doc.getText())
  })
  if (ts.isConstructorDeclaration(callable)) {
    const made = ts.isClassDeclaration(owner)
      ? owner.members.filter(ts.isConstructorDeclaration)
      : []
    for (const each of [owner, ...made]) {
      texts.push(...ts.getJSDocCommentsAndTags(each).map((doc) => doc.getText()))
    }
  }
  if (ts.isMethodDeclaration(callable) && ts.isClassDeclaration(owner)) {
    const bases = (owner.heritageClauses ?? []).flatMap(({ types }) => types)
    for (const base of bases) {
      const member = checker.getTypeAtLocation(base).getProperty(callable.name.getText())
      for (const each of member?.declarations ?? []) {
        texts.push(...ts.getJSDocCommentsAndTags(each).map((doc) => doc.getText()))
      }
    }
  }
  return texts.join('\n')
}

/** By its word, singular or plural; options and settings by their type, whose members are named. */
function isNamed({ name, type }: ts.ParameterDeclaration, text: string): boolean {
  if (!ts.isIdentifier(name)) return true
  if (name.text.startsWith('_')) return true
  if (/Options|Given/u.test(`${type?.getText()}`) || name.text === 'options') return true
  const words = name.text
    .replaceAll(/(?=[A-Z])/gu, ' ')
    .toLowerCase()
    .split(' ')
  const stem = words.at(-1)!.replace(/(?:ies|y|s)$/u, '')
  return new RegExp(`\\b${name.text}\\b|\\b${stem}`, 'iu').test(text)
}

function isError(node: ts.Node): boolean {
  return ts.isClassDeclaration(node) && /(?:Error|Failure)$/u.test(node.name?.text ?? '')
}

/** The classes of `throw new X(…)` in its body, and in functions of the package that it calls. */
function thrownBy(
  callable: Callable,
  checker: ts.TypeChecker,
  seen = new Set<ts.Node>(),
): Set<string> {
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isTryStatement(node)) return
    if (ts.isThrowStatement(node) && ts.isNewExpression(node.expression)) {
      found.add(node.expression.expression.getText())
    }
    if (ts.isCallExpression(node)) {
      for (const error of thrownByCall(node, checker, seen)) found.add(error)
    }
    ts.forEachChild(node, visit)
  }
  if (callable.body !== undefined) ts.forEachChild(callable.body, visit)
  return found
}

/** Follows calls of plain functions, such as the checks of arguments, into their files. */
function thrownByCall(
  { expression }: ts.CallExpression,
  checker: ts.TypeChecker,
  seen: Set<ts.Node>,
): ReadonlySet<string> {
  if (!ts.isIdentifier(expression)) return new Set()
  const symbol = checker.getSymbolAtLocation(expression)
  const isAlias = symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0
  const declaration = (isAlias ? checker.getAliasedSymbol(symbol) : symbol)?.valueDeclaration
  const isOurs = declaration !== undefined && ts.isFunctionDeclaration(declaration)
  if (
    !isOurs ||
    seen.has(declaration) ||
    !declaration.getSourceFile().fileName.includes('/packages/')
  ) {
    return new Set()
  }
  seen.add(declaration)
  const room = (node: ts.Node): string | undefined => placeOf(node).split('/')[1]
  return room(declaration) === room(expression) ? thrownBy(declaration, checker, seen) : new Set()
}
