// The thread in which SQLite waits for the disk, and for other processes that hold its file.

import { parentPort, workerData } from 'node:worker_threads'
import { SqlitePosts } from './sqlite-posts.ts'
import { monotonicMs, type Question, type Reply } from './sqlite-thread.ts'

const posts = new SqlitePosts(workerData as string)

parentPort!.on('message', (question: Question) => {
  parentPort!.postMessage(answer(question))
})

parentPort!.postMessage('ready')

function answer({ id, method, args, untilMs }: Question): Reply {
  try {
    // Nobody waits for it any more. To write now what was refused would be the worse surprise.
    if (monotonicMs() > untilMs) throw new Error('the database was busy for too long')
    const run = posts[method] as (...args: readonly unknown[]) => unknown
    return { id, value: run.apply(posts, [...args]) }
  } catch (error) {
    return { id, error: error instanceof Error ? error : new Error(String(error)) }
  }
}
