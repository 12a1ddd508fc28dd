// What the board needs of a database, and what it reads from it. Every method may reject: then
// nothing is known of the database, except that it is not to be relied on now.

import type { Draft } from './draft.ts'

/** A line of the front page. */
export type Summary = {
  readonly id: string
  readonly title: string
  readonly posts: number
  /** Where its last post stands among all posts of the board. */
  readonly lastSeq: number
  readonly lastAtMs: number
}

/** One post of a thread. */
export type Post = {
  readonly id: string
  readonly name: string
  readonly text: string
  readonly atMs: number
}

/** Threads, the one with the latest post first. */
export interface Front {
  readonly threads: readonly Summary[]
  /** Of the next page: threads whose last post stands before this; undefined on the last page. */
  readonly next: number | undefined
}

/** A thread with all its posts, the first one first. */
export interface Thread {
  readonly id: string
  readonly title: string
  readonly posts: readonly Post[]
}

/** What became of a draft. One that was added before is `added`, too, and nothing has changed. */
export type Added =
  | { readonly kind: 'added'; readonly threadId: string }
  | { readonly kind: 'no-thread' | 'thread-full' }

/** A database of threads and posts. */
export interface PostStore {
  front(before: number): Promise<Front>
  thread(id: string): Promise<Thread | undefined>
  /** Adds a post, with a thread if it is the first one; in one transaction. */
  add(draft: Draft, atMs: number): Promise<Added>
}
