// The promises of the board without a process, a disk or a clock; and broken boards, each of which
// does what one might well write, and is caught by the promise that it breaks.

import { describe, expect, test } from 'vitest'
import type { View, ViewCache } from '../src/board.ts'
import type { PostStore } from '../src/post-store.ts'
import { ownCache } from '../src/view-caches.ts'
import {
  type Law,
  type LoadView,
  lastCopyIsShown,
  lateCommitIsRead,
  oneDraftIsOnePost,
  oneQueryForAll,
  ownPostIsRead,
  type Twin,
} from './board-laws.ts'

const LAWS = { ownPostIsRead, oneQueryForAll, oneDraftIsOnePost, lastCopyIsShown, lateCommitIsRead }

describe('a board keeps its promise', () => {
  test.each<[string, Law]>(Object.entries(LAWS))('%s', async (_, law) => {
    const { promised, came } = await law({})
    expect(came).toEqual(promised)
  })
})

describe('a broken board is caught', () => {
  test.each<[string, Law, Twin]>([
    ['that makes nothing void', ownPostIsRead, { cacheOf: (load) => deafTo(cacheOf(load)) }],
    ['that makes void before it commits', ownPostIsRead, voidsFirst()],
    ['that lets everybody load', oneQueryForAll, { cacheOf: naiveCache }],
    ['that names a post when it comes in', oneDraftIsOnePost, { postsOf: namedAnew }],
    ['that takes down for empty', lastCopyIsShown, { cacheOf: (load) => emptyIfDown(load) }],
  ])('%s', async (_, law, twin) => {
    const { promised, came } = await law(twin)
    expect(came).not.toEqual(promised)
  })
})

function cacheOf(load: LoadView): ViewCache {
  return ownCache(load, 60_000)
}

function deafTo(cache: ViewCache): ViewCache {
  return { get: (key) => cache.get(key), invalidateTag: () => {} }
}

function voidsFirst(): Twin {
  let cache: ViewCache
  return {
    cacheOf: (load) => {
      cache = cacheOf(load)
      return deafTo(cache)
    },
    postsOf: (posts) => ({
      ...readsOf(posts),
      add: (draft, atMs) => {
        for (const tag of ['front', 'thread:t']) cache.invalidateTag(tag)
        return posts.add(draft, atMs)
      },
    }),
  }
}

/** What one writes who has not heard of stampedes. */
function naiveCache(load: LoadView): ViewCache {
  const kept = new Map<string, View>()
  const get = async (key: string): Promise<View | undefined> => {
    const known = kept.get(key)
    if (known !== undefined) return known
    const { signal } = new AbortController()
    const view = await load(key, { signal, stale: undefined, get, keep: () => {} })
    if (view !== undefined) kept.set(key, view)
    return view
  }
  return { get, invalidateTag: () => kept.clear() }
}

function namedAnew(posts: PostStore): PostStore {
  let names = 0
  return {
    ...readsOf(posts),
    add: (draft, atMs) => {
      const isReply = 'threadId' in draft
      return posts.add(isReply ? { ...draft, id: `named ${names++}` } : draft, atMs)
    },
  }
}

function emptyIfDown(load: LoadView): ViewCache {
  const cache = cacheOf(load)
  return {
    get: (key) => cache.get(key).catch(() => undefined),
    invalidateTag: (tag) => cache.invalidateTag(tag),
  }
}

function readsOf(posts: PostStore): Pick<PostStore, 'front' | 'thread'> {
  return { front: (before) => posts.front(before), thread: (id) => posts.thread(id) }
}
