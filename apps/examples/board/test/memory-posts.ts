// A database of threads and posts that a test holds in its hands: it is asked and commits when the
// test says so, counts what it is asked, and can go away.

import type { Draft } from '../src/draft.ts'
import type { Added, Front, Post, PostStore, Thread } from '../src/post-store.ts'

export class MemoryPosts implements PostStore {
  queries = 0
  isDown = false
  /** Of an `add`, as it happens: before it commits, and after that, before it is acknowledged. */
  beforeCommit: () => Promise<void> = async () => {}
  afterCommit: () => Promise<void> = async () => {}
  readonly #threads: Map<string, Thread & { readonly posts: Post[] }> = new Map()

  async front(): Promise<Front> {
    await this.#asked()
    const threads = Array.from(this.#threads.values(), ({ id, title, posts }, i) => {
      return { id, title, posts: posts.length, lastSeq: i, lastAtMs: 0 }
    })
    return { threads, next: undefined }
  }

  async thread(id: string): Promise<Thread | undefined> {
    await this.#asked()
    const found = this.#threads.get(id)
    return found && { ...found, posts: [...found.posts] }
  }

  async add(draft: Draft, atMs: number): Promise<Added> {
    await this.#asked()
    await this.beforeCommit()
    const { id, name, text } = draft
    const threadId = 'title' in draft ? id : draft.threadId
    if ('title' in draft && !this.#threads.has(id)) {
      this.#threads.set(id, { id, title: draft.title, posts: [] })
    }
    const posts = this.#threads.get(threadId)?.posts
    if (posts === undefined) return { kind: 'no-thread' }
    if (!posts.some((post) => post.id === id)) posts.push({ id, name, text, atMs })
    await this.afterCommit()
    return { kind: 'added', threadId }
  }

  async #asked(): Promise<void> {
    this.queries++
    await undefined
    if (this.isDown) throw new Error('down')
  }
}
