// Whether two copies of a reference table hold the same rows: a sum of the hashes of all rows, so
// that their order does not matter and no sort has to agree between databases. Equal rows hash
// equally whatever the order of their columns, and whether an integer came as number or bigint.
// Sums of 64-bit hashes collide by chance once in 2^64; they do not defend against malice.

import { xxh64 } from '@ashlar/hash'
import type { Engine, Row } from './engine.ts'

/** A copy, in short. */
export interface ReferenceDigest {
  readonly rows: number
  /** 16 hex digits: equal for equal sets of rows. */
  readonly digest: string
}

/** Reads one shard's copy of a reference table. */
export async function referenceDigest(
  engine: Pick<Engine, 'scan'>,
  shard: string,
  table: string,
  signal?: AbortSignal,
): Promise<ReferenceDigest> {
  const scan = await engine.scan(shard, { table }, { signal })
  let sum = 0n
  let rows = 0
  try {
    for await (const batch of scan.rows()) {
      for (const row of batch) sum += xxh64(rowText(row))
      rows += batch.length
    }
  } finally {
    await scan.close()
  }
  return { rows, digest: BigInt.asUintN(64, sum).toString(16).padStart(16, '0') }
}

function rowText(row: Row): string {
  const columns = Object.keys(row).sort()
  return JSON.stringify(columns.map((column) => [column, ...typed(row[column])]))
}

function typed(value: unknown): readonly [type: string, text: unknown] {
  if (value === null || value === undefined) return ['null', '']
  if (typeof value === 'number' || typeof value === 'bigint') return ['number', String(value)]
  if (value instanceof Uint8Array) return ['bytes', value.join()]
  if (value instanceof Date) return ['date', value.getTime()]
  return [typeof value, value]
}
