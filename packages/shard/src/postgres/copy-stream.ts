// Rows from one server to another by COPY, through this process and never as values in it: what
// one server sends, the other takes. The streams are those of the package `pg-copy-streams`.

import { ShardError } from '../shard-error.ts'
import { explain } from './postgres-error.ts'
import type { PostgresSession } from './postgres-session.ts'

/** One end of a copy: a session in a transaction in which all before has been answered. */
export interface CopyEnd {
  readonly shard: string
  readonly session: PostgresSession
  /** `COPY … TO STDOUT` or `COPY … FROM STDIN`. */
  readonly text: string
}

/** How much was copied. */
export interface Copied {
  readonly rows: number
  readonly bytes: number
}

const BUFFER_BYTES = 1 << 20

/**
 * Pipes rows. Where it fails both connections are closed, so nothing of either transaction stands.
 *
 * @throws {ShardError} `UNSUPPORTED` where `pg-copy-streams` is not installed.
 */
export async function pipeRows(from: CopyEnd, to: CopyEnd, signal?: AbortSignal): Promise<Copied> {
  const streams = await loadCopyStreams()
  signal?.throwIfAborted()
  const sink = streams.from(to.text, { highWaterMark: BUFFER_BYTES })
  const source = streams.to(from.text, { highWaterMark: BUFFER_BYTES })
  let bytes = 0
  // They may fail more than once, and the other with them: the first is what went wrong.
  const failure = new Promise<never>((_, reject) => {
    source.on('error', (error) => reject(explain(from.shard, error)))
    sink.on('error', (error) => reject(explain(to.shard, error)))
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  failure.catch(ignore)
  to.session.lend(sink)
  from.session.lend(source)
  const piped = (async () => {
    for await (const chunk of source) {
      bytes += (chunk as Uint8Array).length
      if (!sink.write(chunk)) await new Promise((resolve) => sink.once('drain', resolve))
    }
    await new Promise<void>((resolve) => sink.end(resolve))
  })()
  piped.catch(ignore)
  try {
    await Promise.race([piped, failure])
  } catch (error) {
    from.session.destroy()
    to.session.destroy()
    throw await Promise.race([failure, error]).catch((first: unknown) => first)
  }
  return { rows: sink.rowCount, bytes }
}

/** @throws {ShardError} `UNSUPPORTED` */
export async function loadCopyStreams(): Promise<typeof import('pg-copy-streams')> {
  try {
    return await import('pg-copy-streams')
  } catch (cause) {
    throw new ShardError(
      'UNSUPPORTED',
      'the package pg-copy-streams could not be loaded, by which rows are moved: install it ' +
        '(npm install pg-copy-streams)',
      { cause },
    )
  }
}

function ignore(): void {}
