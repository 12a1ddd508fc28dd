// What somebody wants to post, checked. Its id was made when the form was drawn, not when it came
// in: a form that is sent again, since the answer was a 503 or got lost, is the same post.

import { BoardError } from './board-error.ts'

/** The longest of each field, in UTF-16 units, as the forms count them, too. */
export const LIMITS = { name: 40, title: 120, text: 8_000 } as const

/** A post that may be added: a reply, or the first of a thread. */
export type Draft = {
  readonly id: string
  readonly name: string
  readonly text: string
} & ({ readonly threadId: string } | { readonly title: string })

/** The fields of a form or of a JSON object, as they came. */
export type Fields = Readonly<Record<string, unknown>>

/** @throws {BoardError} `BAD_POST` that says what to mend */
export function readDraft(fields: Fields, threadId: string | undefined): Draft {
  const { id } = fields
  if (typeof id !== 'string' || !isId(id)) throw bad('The id is not one that this board gave out.')
  const post = { id, name: checked(fields, 'name', 'Anonymous'), text: checked(fields, 'text') }
  if (threadId !== undefined) return { ...post, threadId }
  return { ...post, title: checked(fields, 'title').replace(/\s+/gu, ' ') }
}

/** Whether it is an id of this board, a ULID; in one of the ways to write it, not in all. */
export function isId(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/u.test(text)
}

function checked(fields: Fields, name: keyof typeof LIMITS, otherwise?: string): string {
  const given = fields[name] ?? ''
  if (typeof given !== 'string') throw bad(`The ${name} must be a text.`)
  const text = given.replace(/\r\n?/gu, '\n').trim() || otherwise
  if (text === undefined) throw bad(`Please write something as ${name}.`)
  const most = LIMITS[name]
  if (text.length > most) throw bad(`The ${name} has ${text.length} characters of at most ${most}.`)
  if (/[^\P{Cc}\n\t]/u.test(text)) throw bad(`The ${name} has control characters in it.`)
  return text
}

function bad(message: string): BoardError {
  return new BoardError('BAD_POST', message)
}
