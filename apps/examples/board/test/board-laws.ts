// What a board promises, each as a scene that returns what was promised and what came. A scene
// sets up a board by parts that a broken twin may replace.

import { CircuitBreaker, consecutive } from '@ashlar/breaker'
import { Board, type ViewCache } from '../src/board.ts'
import type { Draft } from '../src/draft.ts'
import type { PostStore } from '../src/post-store.ts'
import { ownCache } from '../src/view-caches.ts'
import { MemoryPosts } from './memory-posts.ts'

export type LoadView = Parameters<typeof ownCache>[0]

/** The parts of a board that may be broken. */
export interface Twin {
  readonly cacheOf?: (load: LoadView) => ViewCache
  readonly postsOf?: (posts: PostStore) => PostStore
}

interface Outcome {
  readonly promised: unknown
  readonly came: unknown
}

export type Law = (twin: Twin) => Promise<Outcome>

const THREAD: Draft = { id: 't', title: 'title', name: 'Ann', text: 'first' }
const REPLY: Draft = { id: 'r', threadId: 't', name: 'Bob', text: 'second' }
const ALL = Number.MAX_SAFE_INTEGER

class Scene {
  readonly posts = new MemoryPosts()
  readonly board: Board
  readonly #timeouts: Set<() => void> = new Set()

  constructor({ cacheOf = (load) => ownCache(load, 60_000), postsOf = (posts) => posts }: Twin) {
    const timers = {
      setTimeout: (fire: () => void) => {
        this.#timeouts.add(fire)
        return () => this.#timeouts.delete(fire)
      },
      clearTimeout: (cancel: unknown) => void (cancel as () => void)(),
    }
    this.board = new Board({
      now: () => 0,
      posts: postsOf(this.posts),
      breaker: new CircuitBreaker({ trip: consecutive(100), monotonic: () => 0, timers }),
      cacheOf,
    })
  }

  /** The breaker waits no longer for what is under way. */
  losePatience(): void {
    for (const fire of [...this.#timeouts]) fire()
  }

  /** The texts of the thread as a reader sees them, and whether they are said to be stale. */
  async read(): Promise<readonly (string | boolean)[]> {
    const { view, isStale } = await this.board.thread('t')
    return [...view.posts.map(({ text }) => text), isStale]
  }
}

/** Whoever posts reads it from then on, whatever others read while it was being written. */
export const ownPostIsRead: Law = async (twin) => {
  const scene = new Scene(twin)
  const { board, posts } = scene
  await board.post(THREAD)
  await scene.read()
  posts.beforeCommit = async () => {
    await Promise.all([scene.read(), board.front(ALL)])
  }
  await board.post(REPLY)
  const { view } = await board.front(ALL)
  const came = [...(await scene.read()), view.threads[0]?.posts]
  return { promised: ['first', 'second', false, 2], came }
}

/** Of a page that has become void, all who come at once wait for one query. */
export const oneQueryForAll: Law = async (twin) => {
  const scene = new Scene(twin)
  const { board, posts } = scene
  await board.post(THREAD)
  await scene.read()
  await board.post(REPLY)
  const before = posts.queries
  await Promise.all(Array.from({ length: 200 }, () => scene.read()))
  return { promised: 1, came: posts.queries - before }
}

/** A draft that was refused, though it had been committed, is one post when it comes again. */
export const oneDraftIsOnePost: Law = async (twin) => {
  const scene = new Scene(twin)
  const { board, posts } = scene
  await board.post(THREAD)
  posts.afterCommit = async () => {
    throw new Error('the connection broke')
  }
  const refused = await board.post(REPLY).catch((error) => error.code)
  posts.afterCommit = async () => {}
  await board.post(REPLY)
  const came = [refused, ...(await scene.read())]
  return { promised: ['DATABASE_DOWN', 'first', 'second', false], came }
}

/** With the database down readers see the last that was read, also of what is void since. */
export const lastCopyIsShown: Law = async (twin) => {
  const scene = new Scene(twin)
  const { board, posts } = scene
  await board.post(THREAD)
  await scene.read()
  await board.post(REPLY)
  posts.isDown = true
  const whileDown = await scene.read().catch((error) => [error.code])
  posts.isDown = false
  const came = [...whileDown, ...(await scene.read())]
  return { promised: ['first', true, 'first', 'second', false], came }
}

/** A commit that comes when its writer has been refused is seen by the next reader. */
export const lateCommitIsRead: Law = async (twin) => {
  const scene = new Scene(twin)
  const { board, posts } = scene
  await board.post(THREAD)
  await scene.read()
  const committing = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  posts.beforeCommit = () => committing.promise
  posts.afterCommit = async () => done.resolve()
  const posting = board.post(REPLY).catch((error) => error.code)
  await new Promise(setImmediate)
  scene.losePatience()
  const refused = await posting
  await scene.read()
  committing.resolve()
  await done.promise
  await new Promise(setImmediate)
  const came = [refused, ...(await scene.read())]
  return { promised: ['DATABASE_DOWN', 'first', 'second', false], came }
}
