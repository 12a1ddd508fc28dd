// The board for programs. A program may make its own ids, so as to send a post again; the id that
// it leaves out is made here, and comes back with an error as well.

import type { Shown } from './board.ts'
import { BoardError } from './board-error.ts'
import type { Fields } from './draft.ts'
import type { Face } from './html-face.ts'

/** The board as JSON. */
export const jsonFace: Face = {
  contentType: 'application/json',
  fieldsOf,
  front: shownAsJson,
  thread: shownAsJson,
  posted: (post) => ({
    status: 201,
    headers: { Location: `/api/threads/${post.threadId}` },
    body: JSON.stringify(post),
  }),
  failed: ({ code, message }, attempt) =>
    JSON.stringify({ error: { code, message }, post: attempt?.fields }),
}

function fieldsOf(body: string): Fields {
  try {
    const fields: unknown = JSON.parse(body)
    if (typeof fields === 'object' && fields !== null) return fields as Fields
  } catch {
    // The same as JSON of another kind.
  }
  throw new BoardError('BAD_REQUEST', 'The body must be a JSON object.')
}

function shownAsJson({ view, isStale }: Shown<object>): string {
  const { readAtMs, ...rest } = view
  return JSON.stringify({ ...rest, isStale, readAt: new Date(readAtMs).toISOString() })
}
