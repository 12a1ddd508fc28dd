// What has to be known of a statement before SQLite sees it: that it is one statement (node:sqlite
// runs the first and says nothing of the rest), that it leaves the transaction alone, and which
// parameter stands where. `$2 … $1 … $2` becomes `? … ? … ?` bound to [2, 1, 2]: SQLite would
// number `$n` by first appearance, and binding by name costs an object a call.
//
// Quotes, brackets and comments are skipped as SQLite's own tokenizer does.

import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'

/** A statement, ready to be prepared. */
export interface StatementText {
  readonly sql: string
  /** For each `?`: which of the caller's parameters, from 0. */
  readonly order: readonly number[]
  /** Whether it gives rows; others give how many they changed. */
  readonly givesRows: boolean
  /** Whether rows may be replaced, whose removal fires delete triggers only on demand. */
  readonly replaces: boolean
  /** Whether it changes the schema. */
  readonly isDefinition: boolean
}

const TOKEN = new RegExp(
  [
    String.raw`(?<skipped>--[^\n]*|/\*[\s\S]*?(?:\*/|$)|\s+)`,
    String.raw`(?<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\x60(?:[^\x60]|\x60\x60)*\x60|\[[^\]]*\])`,
    String.raw`\$(?<parameter>[0-9]+)(?![\w$])`,
    String.raw`(?<foreign>[?:@$#][\w$:]*)`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_$]*)`,
    '(?<end>;)',
    String.raw`(?<other>[0-9][\w.]*|[\s\S])`,
  ].join('|'),
  'gu',
)

const TRANSACTION_WORDS = new Set([
  ...['BEGIN', 'COMMIT', 'END', 'ROLLBACK', 'SAVEPOINT', 'RELEASE'],
  ...['ATTACH', 'DETACH', 'PRAGMA', 'VACUUM'],
])
const DEFINITION_WORDS = new Set(['CREATE', 'ALTER', 'DROP', 'REINDEX'])
const CHANGE_WORDS = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE'])

/**
 * Reads a statement. O(length).
 *
 * @throws {ShardError} `INVALID_OPTION` for none or several statements, for one that begins or ends
 * a transaction or leaves the shard's file, and for parameters other than `$1`, `$2` ….
 */
export function readStatement(text: string): StatementText {
  const words: string[] = []
  const order: number[] = []
  let sql = ''
  let isOver = false
  let replaces = false
  let isAfterReplace = false
  for (const { 0: token, groups } of text.matchAll(TOKEN)) {
    if (groups!.skipped !== undefined) {
      sql += token.startsWith('--') ? '\n' : ' '
      continue
    }
    if (isOver) throw refused(text, 'holds more than one statement; run them one by one')
    if (groups!.end !== undefined) isOver = !isTriggerBody(words)
    if (isOver) continue
    if (groups!.parameter !== undefined) {
      order.push(parameterOf(text, groups!.parameter))
      sql += '?'
      continue
    }
    if (groups!.foreign !== undefined) {
      throw refused(text, `holds ${show(token)}; parameters are written $1, $2 …`)
    }
    if (groups!.word !== undefined) words.push(token.toUpperCase())
    // The function of that name is followed by its arguments.
    replaces ||= isAfterReplace && token !== '('
    isAfterReplace = groups!.word !== undefined && words.at(-1) === 'REPLACE'
    sql += token
  }
  return { sql, order, replaces, ...kindOf(text, words) }
}

function kindOf(
  text: string,
  words: readonly string[],
): Pick<StatementText, 'givesRows' | 'isDefinition'> {
  const [first] = words
  if (first === undefined) throw refused(text, 'holds no statement')
  if (TRANSACTION_WORDS.has(first)) {
    throw refused(
      text,
      `begins with ${first}, which is the engine's to say: it runs the transaction`,
    )
  }
  const isDefinition = DEFINITION_WORDS.has(first)
  const changes = words.some((word) => CHANGE_WORDS.has(word)) && first !== 'SELECT'
  const isChange = CHANGE_WORDS.has(first) || (first === 'WITH' && changes)
  return { isDefinition, givesRows: !isDefinition && (!isChange || words.includes('RETURNING')) }
}

/** A semicolon inside of CREATE TRIGGER … BEGIN … END ends a statement of its body. */
function isTriggerBody(words: readonly string[]): boolean {
  if (words[0] !== 'CREATE' || !words.slice(1, 4).includes('TRIGGER')) return false
  const opened = words.filter((word) => word === 'BEGIN' || word === 'CASE').length
  return opened > words.filter((word) => word === 'END').length
}

function parameterOf(text: string, digits: string): number {
  const number = Number(digits)
  if (number >= 1 && number <= 32_766) return number - 1
  throw refused(text, `holds $${digits}; parameters are $1 … $32766`)
}

function refused(text: string, why: string): ShardError {
  return new ShardError('INVALID_OPTION', `the statement ${show(text)} ${why}`)
}
