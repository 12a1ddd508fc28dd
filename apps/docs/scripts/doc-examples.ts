// The examples of docstrings as programs. What an example does not say is added: imports of what
// its package exports, and what the stage of its package (test/stages/<package>.ts) has ready, a
// database, say, so that an example need not set up the world before it comes to its point.

import ts from 'typescript'
import { withAssertions } from '../../../tools/examples.mjs'
import { type PublicApi, type PublicExport, placeOf } from './public-api.ts'

/** An example of a docstring. */
export interface DocExample {
  /** The module that exports what it is an example of. */
  readonly module: string
  readonly room: string
  /** The class, function or method. */
  readonly title: string
  readonly place: string
  /** With its claims as assertions. */
  readonly code: string
  /** Names that it uses as values. */
  readonly used: readonly string[]
  /** Those of them that it does not declare. */
  readonly free: readonly string[]
}

/** All examples, once each. */
export function docExamples({ exports }: PublicApi): DocExample[] {
  const seen = new Set<ts.Node>()
  return exports.flatMap((exported) => {
    if (seen.has(exported.node)) return []
    seen.add(exported.node)
    return [exported.node, ...membersOf(exported)].flatMap((node) => examplesAt(node, exported))
  })
}

/** The exported classes and functions whose docstring has no example. */
export function withoutExample({ exports }: PublicApi): PublicExport[] {
  return exports.filter(({ node }) => {
    const made = ts.isClassDeclaration(node) && node.members.find(ts.isConstructorDeclaration)
    return exampleTags(node).length === 0 && !(made && exampleTags(made).length > 0)
  })
}

function membersOf({ node }: PublicExport): readonly ts.Node[] {
  return ts.isClassDeclaration(node) ? node.members : []
}

function examplesAt(node: ts.Node, { module, room, name }: PublicExport): DocExample[] {
  return exampleTags(node).map((tag) => {
    const text = ts.getTextOfJSDocComment(tag.comment) ?? ''
    const { code } = withAssertions(text.replaceAll(/^```\w*$/gmu, ''))
    const member = ts.isClassElement(node) ? `.${node.name?.getText() ?? 'constructor'}` : ''
    return { module, room, title: name + member, place: placeOf(node), code, ...namesIn(code) }
  })
}

function exampleTags(node: ts.Node): readonly ts.JSDocTag[] {
  return ts.getJSDocTags(node).filter((tag) => tag.tagName.text === 'example')
}

/** The names that a program uses as values, and those that it declares nowhere. */
function namesIn(code: string): Pick<DocExample, 'used' | 'free'> {
  const declared = new Set<string>()
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return
    if (ts.isIdentifier(node)) {
      if (isDeclaration(node)) declared.add(node.text)
      else if (!isMemberName(node)) used.add(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true))
  return { used: [...used], free: [...used].filter((name) => !declared.has(name)) }
}

function isDeclaration(node: ts.Identifier): boolean {
  const { parent } = node
  const isNamed =
    ts.isVariableDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isBindingElement(parent) ||
    ts.isFunctionDeclaration(parent) ||
    ts.isClassDeclaration(parent)
  if (isNamed) return parent.name === node
  return ts.isImportSpecifier(parent) || ts.isImportClause(parent)
}

/** Names after a dot, before a colon, and what a pattern takes a member by. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) return parent.name === node
  return ts.isBindingElement(parent) && parent.propertyName === node
}
