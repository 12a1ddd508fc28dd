// Looks at every row of a fleet and asks whether it lies where the map says. Reads everything; it
// changes nothing. Rows that move while it looks may be reported: run it again to be sure.

import { type Engine, type PlacedRow, REFERENCE_SLOT, type TableSpec } from './engine.ts'
import { type ReferenceDigest, referenceDigest } from './reference-digest.ts'
import { isSilence } from './router-silence.ts'
import { ShardError } from './shard-error.ts'
import type { ShardMap } from './shard-map.ts'
import { show } from './show.ts'
import { type FenceProblem, fenceProblems, isOwning } from './verify-fences.ts'

/** Options of {@link ShardRouter.verify}. */
export interface VerifyOptions {
  /** Tables to look at; default all. */
  readonly tables?: readonly string[] | undefined
  /** How many problems of a kind are listed; all are counted. Default 100. */
  readonly maxListed?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A row whose slot is not that of its key: the router does not find it. */
export interface MisplacedRow extends PlacedRow {
  readonly shard: string
  readonly table: string
}

/** Rows on a shard that does not own their slot: nobody's, they only take up room. */
export interface Leftover {
  readonly shard: string
  readonly table: string
  readonly slot: number
  readonly rows: number
}

/** A reference table whose copies differ. */
export interface ReferenceDifference {
  readonly table: string
  readonly copies: readonly (ReferenceDigest & { readonly shard: string })[]
}

/** What {@link ShardRouter.verify} found. */
export interface VerifyReport {
  /** Whether all is as the map says, on all shards. */
  readonly ok: boolean
  /** Rows of sharded tables looked at, copies of reference tables not among them. */
  readonly rows: number
  readonly misplaced: readonly MisplacedRow[]
  readonly misplacedCount: number
  readonly leftovers: readonly Leftover[]
  readonly leftoverCount: number
  readonly fences: readonly FenceProblem[]
  readonly fenceCount: number
  readonly references: readonly ReferenceDifference[]
  /** Shards that did not answer: nothing is known of them. */
  readonly missing: readonly string[]
}

/**
 * Verifies every shard of the map.
 *
 * @throws {ShardError} `UNKNOWN_TABLE`, `INVALID_OPTION`.
 */
export async function verifyFleet(
  engine: Engine,
  map: ShardMap,
  { tables, maxListed = 100, signal }: VerifyOptions = {},
): Promise<VerifyReport> {
  if (!(Number.isSafeInteger(maxListed) && maxListed >= 0)) {
    throw new ShardError('INVALID_OPTION', `maxListed must be from 0, got ${show(maxListed)}`)
  }
  const specs = chosen(map, tables)
  const findings = new Findings(maxListed)
  const shards = map.shards.map(({ id }) => id)
  // One after the other: it reads all there is, and should leave the shards some room to work.
  for (const shard of shards) {
    signal?.throwIfAborted()
    try {
      await verifyShard(engine, map, shard, specs, findings, signal)
    } catch (error) {
      if (!isSilence(error)) throw error
      findings.missing.push(shard)
    }
  }
  return findings.report()
}

async function verifyShard(
  engine: Engine,
  map: ShardMap,
  shard: string,
  specs: readonly TableSpec[],
  findings: Findings,
  signal: AbortSignal | undefined,
): Promise<void> {
  const fences = await engine.fences(shard)
  for (const problem of fenceProblems(map, shard, fences)) findings.fences.add(problem)
  const owned = new Set(fences.filter(isOwning).map(({ slot }) => slot))
  for (const spec of specs) {
    if (spec.kind === 'reference') {
      findings.addCopy(spec.name, shard, await referenceDigest(engine, shard, spec.name, signal))
      continue
    }
    const leftovers = new Map<number, number>()
    for await (const rows of engine.placements(shard, spec)) {
      signal?.throwIfAborted()
      findings.rows += rows.length
      for (const row of rows) {
        if (!owned.has(row.slot)) leftovers.set(row.slot, (leftovers.get(row.slot) ?? 0) + 1)
        else if (row.slot === REFERENCE_SLOT || !map.checkRow(spec.name, row.key, row.slot)) {
          findings.misplaced.add({ shard, table: spec.name, ...row })
        }
      }
    }
    for (const [slot, rows] of leftovers) {
      findings.leftovers.add({ shard, table: spec.name, slot, rows }, rows)
    }
  }
}

function chosen(map: ShardMap, tables: readonly string[] | undefined): readonly TableSpec[] {
  const specs = map.specs()
  const known = specs.map(({ name }) => name)
  const unknown = tables?.find((table) => !known.includes(table))
  if (unknown !== undefined) {
    throw new ShardError(
      'UNKNOWN_TABLE',
      `the map has no rule for the table ${show(unknown)}; known: ${known.join(', ')}`,
    )
  }
  return tables === undefined ? specs : specs.filter(({ name }) => tables.includes(name))
}

/** A list that counts all and keeps the first. */
class Listed<T> {
  readonly list: T[] = []
  count = 0
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(one: T, count = 1): void {
    this.count += count
    if (this.list.length < this.#most) this.list.push(one)
  }
}

class Findings {
  rows = 0
  readonly misplaced: Listed<MisplacedRow>
  readonly leftovers: Listed<Leftover>
  readonly fences: Listed<FenceProblem>
  readonly missing: string[] = []
  readonly #copies = new Map<string, (ReferenceDigest & { shard: string })[]>()

  constructor(maxListed: number) {
    this.misplaced = new Listed(maxListed)
    this.leftovers = new Listed(maxListed)
    this.fences = new Listed(maxListed)
  }

  addCopy(table: string, shard: string, digest: ReferenceDigest): void {
    const copies = this.#copies.get(table) ?? []
    copies.push({ shard, ...digest })
    this.#copies.set(table, copies)
  }

  report(): VerifyReport {
    const { misplaced, leftovers, fences, missing } = this
    const references = [...this.#copies]
      .filter(([, [first, ...others]]) => others.some(({ digest }) => digest !== first!.digest))
      .map(([table, copies]) => ({ table, copies }))
    const problems = misplaced.count + leftovers.count + fences.count + references.length
    return {
      ok: problems + missing.length === 0,
      rows: this.rows,
      misplaced: misplaced.list,
      misplacedCount: misplaced.count,
      leftovers: leftovers.list,
      leftoverCount: leftovers.count,
      fences: fences.list,
      fenceCount: fences.count,
      references,
      missing,
    }
  }
}
