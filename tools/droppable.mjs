// A plugin of the build. Where modules are joined to one file, `sideEffects: false` no longer lets
// a bundler leave out what an application does not use: it keeps each declaration whose making
// might do something, and all that this leads to. The packages promise that none does, so those
// are marked: `const codec = new Codec()` becomes
// `const codec = /* @__PURE__ */ (() => new Codec())()`.

import { parseAst } from 'rolldown/parseAst'

const MARK = '/* @__PURE__ */ '

export const droppable = {
  name: 'droppable',
  renderChunk(code, _chunk, _options, { magicString }) {
    for (const { type, declarations } of parseAst(code).body) {
      if (type !== 'VariableDeclaration') continue
      for (const { id, init } of declarations) {
        if (id.type !== 'Identifier' || init === null || isIdle(init, code)) continue
        // Within the function the class would no longer be named after its variable.
        if (init.type === 'ClassExpression' && init.id === null) {
          magicString.appendLeft(init.start + 'class'.length, ` ${id.name}`)
        }
        magicString.prependLeft(init.start, `${MARK}(() => (`).appendRight(init.end, '))()')
      }
    }
    return magicString
  },
}

/** Whether every bundler sees that to evaluate it does nothing. */
function isIdle(node, code) {
  const areIdle = (nodes) => nodes.every((one) => isIdle(one, code))
  switch (node?.type) {
    case undefined:
    case 'Literal':
    case 'Identifier':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return true
    case 'UnaryExpression':
      return isIdle(node.argument, code)
    case 'BinaryExpression':
    case 'LogicalExpression':
      return areIdle([node.left, node.right])
    case 'ConditionalExpression':
      return areIdle([node.test, node.consequent, node.alternate])
    case 'TemplateLiteral':
      return areIdle(node.expressions)
    case 'ArrayExpression':
      return areIdle(node.elements)
    case 'ObjectExpression':
      return node.properties.every((one) => !one.computed && isIdle(one.value ?? one, code))
    case 'MemberExpression':
      return ['Math', 'Number', 'Symbol'].includes(node.object.name) && !node.computed
    case 'CallExpression':
    case 'NewExpression':
      return code.slice(0, node.start).endsWith(MARK) && areIdle(node.arguments)
    case 'ClassExpression':
      return isIdle(node.superClass, code) && node.body.body.every((one) => isIdleMember(one, code))
    default:
      return false
  }
}

/** Of a class only static fields, static blocks and names that are worked out do something. */
function isIdleMember({ type, computed, key, static: isStatic, value }, code) {
  if (type === 'StaticBlock') return false
  if (computed && !isIdle(key, code)) return false
  return type !== 'PropertyDefinition' || !isStatic || isIdle(value, code)
}
