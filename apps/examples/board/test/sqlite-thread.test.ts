// SQLite behind its thread, its file held by somebody else for longer than anybody waits.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SqliteThread } from '../src/sqlite-thread.ts'

const folder = mkdtempSync(join(tmpdir(), 'board-sqlite-'))

test('what waited for too long is refused, and not written after that', async () => {
  const file = join(folder, 'held.db')
  const posts = await SqliteThread.start(file)
  try {
    await posts.front(1)
    const holder = new DatabaseSync(file)
    holder.exec('BEGIN EXCLUSIVE')
    const adding = Array.from({ length: 8 }, (_, i) => {
      return posts.add({ id: `p${i}`, title: 'late', name: 'Ann', text: 'late' }, 0)
    })
    const results = Promise.allSettled(adding)
    // The last one that is begun at all has given up by now.
    await sleep(1_500)
    holder.close()
    expect((await results).map(({ status }) => status)).not.toContain('fulfilled')
    expect(await posts.front(Number.MAX_SAFE_INTEGER)).toMatchObject({ threads: [] })
  } finally {
    await posts.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
