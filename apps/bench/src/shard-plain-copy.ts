// The plainest way to get rows to another server: COPY in binary form out of one, into the other,
// a pipe from each source and one transaction each, the rows in no order. Neither fences nor
// positions, and nothing that was written meanwhile.

import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import type { MoveFleet } from './shard-move-fleet.ts'

const BUFFER = { highWaterMark: 1 << 20 }
const COLUMNS = 'id, name, visits, seen, ashlar_slot'

interface Pipe {
  readonly source: pg.Client
  readonly sink: pg.Client
  readonly select: string
}

/** A connection to either end of every pair of a fleet. */
export class PlainCopy implements AsyncDisposable {
  readonly #pipes: readonly Pipe[]

  constructor({ pairs, urls }: Pick<MoveFleet, 'pairs' | 'urls'>) {
    this.#pipes = pairs.map((pair) => ({
      source: new pg.Client({ connectionString: urls[pair.from] }),
      sink: new pg.Client({ connectionString: urls[pair.to] }),
      select: `select ${COLUMNS} from users where ashlar_slot = any('{${pair.slots}}')`,
    }))
  }

  async open(): Promise<this> {
    for (const { source, sink } of this.#pipes) {
      await source.connect()
      await sink.connect()
    }
    return this
  }

  /** Copies what the job would; how many rows. */
  async run(): Promise<number> {
    const copied = await Promise.all(this.#pipes.map(pipeRows))
    return copied.reduce((sum, rows) => sum + rows, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { source, sink } of this.#pipes) {
      await source.end()
      await sink.end()
    }
  }
}

async function pipeRows({ source, sink, select }: Pipe): Promise<number> {
  const rows = source.query(to(`copy (${select}) to stdout (format binary)`, BUFFER))
  const table = sink.query(from(`copy plain (${COLUMNS}) from stdin (format binary)`, BUFFER))
  await pipeline(rows, table)
  return table.rowCount
}
