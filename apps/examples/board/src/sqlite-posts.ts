// Threads and posts in one SQLite file; synchronous, so it lives in a thread of its own.
//
// The journal is a rollback journal, not a WAL: between transactions the board is this one file,
// which may be copied, moved away and put back. Invariant: nothing is read from or written to a
// file that is no longer the one at its path, and a file that has gone is not made again, empty.

import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Draft } from './draft.ts'
import type { Added, Front, Post, Summary, Thread } from './post-store.ts'

/** How long a call waits for another process that holds the file. */
const BUSY_MS = 300
const THREADS_A_PAGE = 30
const POSTS_A_THREAD = 500

const SCHEMA = `
  PRAGMA journal_mode = DELETE;
  CREATE TABLE IF NOT EXISTS threads (
    id TEXT PRIMARY KEY, title TEXT NOT NULL,
    posts INTEGER NOT NULL, lastSeq INTEGER NOT NULL, lastAtMs INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS threads_by_last ON threads (lastSeq);
  CREATE TABLE IF NOT EXISTS posts (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, threadId TEXT NOT NULL,
    name TEXT NOT NULL, text TEXT NOT NULL, atMs INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS posts_by_thread ON posts (threadId, seq);
`
const FRONT = `SELECT id, title, posts, lastSeq, lastAtMs FROM threads
  WHERE lastSeq < ? ORDER BY lastSeq DESC LIMIT ${THREADS_A_PAGE + 1}`
const THREAD = 'SELECT title, posts FROM threads WHERE id = ?'
const POSTS = 'SELECT id, name, text, atMs FROM posts WHERE threadId = ? ORDER BY seq'
const KNOWN = 'SELECT threadId FROM posts WHERE id = ?'
const ADD_POST = 'INSERT INTO posts (id, threadId, name, text, atMs) VALUES (?, ?, ?, ?, ?)'
const ADD_THREAD =
  'INSERT INTO threads (id, title, posts, lastSeq, lastAtMs) VALUES (?, ?, 1, ?, ?)'
const TOUCH = 'UPDATE threads SET posts = posts + 1, lastSeq = ?, lastAtMs = ? WHERE id = ?'

/** The methods of a `PostStore`, each of which throws instead of rejecting. */
export class SqlitePosts {
  readonly #file: string
  #database: DatabaseSync | undefined
  /** Which file is open, whatever its path. */
  #inode: bigint | undefined

  constructor(file: string) {
    this.#file = file
  }

  front(before: number): Front {
    const rows = this.#connect().prepare(FRONT).all(before) as Summary[]
    const threads = rows.slice(0, THREADS_A_PAGE)
    return { threads, next: rows.length > THREADS_A_PAGE ? threads.at(-1)?.lastSeq : undefined }
  }

  thread(id: string): Thread | undefined {
    const database = this.#connect()
    const row = database.prepare(THREAD).get(id) as { title: string } | undefined
    return row && { id, title: row.title, posts: database.prepare(POSTS).all(id) as Post[] }
  }

  add(draft: Draft, atMs: number): Added {
    const database = this.#connect()
    database.exec('BEGIN IMMEDIATE')
    try {
      const added = addTo(database, draft, atMs)
      database.exec('COMMIT')
      return added
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK')
    }
  }

  /** The file may have been moved away, or another one put in its place: looked at each time. */
  #connect(): DatabaseSync {
    const inode = statSync(this.#file, { bigint: true, throwIfNoEntry: false })?.ino
    if (this.#database !== undefined && this.#inode === inode) return this.#database
    if (inode === undefined && this.#inode !== undefined) throw new Error(`${this.#file} is gone`)
    this.#database?.close()
    this.#database = undefined
    const database = new DatabaseSync(this.#file, { timeout: BUSY_MS })
    try {
      database.exec(SCHEMA)
    } catch (error) {
      database.close()
      throw error
    }
    this.#inode = statSync(this.#file, { bigint: true }).ino
    this.#database = database
    return database
  }
}

/** Inside of a transaction. */
function addTo(database: DatabaseSync, draft: Draft, atMs: number): Added {
  const { id, name, text } = draft
  const known = database.prepare(KNOWN).get(id) as { threadId: string } | undefined
  if (known !== undefined) return { kind: 'added', threadId: known.threadId }
  const threadId = 'title' in draft ? id : draft.threadId
  if (!('title' in draft)) {
    const thread = database.prepare(THREAD).get(threadId) as { posts: number } | undefined
    if (thread === undefined) return { kind: 'no-thread' }
    if (thread.posts >= POSTS_A_THREAD) return { kind: 'thread-full' }
  }
  const { lastInsertRowid: seq } = database.prepare(ADD_POST).run(id, threadId, name, text, atMs)
  if ('title' in draft) database.prepare(ADD_THREAD).run(id, draft.title, seq, atMs)
  else database.prepare(TOUCH).run(seq, atMs, threadId)
  return { kind: 'added', threadId }
}
