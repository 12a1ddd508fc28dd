// The failures ever found, as files next to the tests: { law, seed, horizonMs, faults, code } a
// piece, replayed before any new seed. The file system is reached through `process`, so that the
// module loads anywhere; only @ashlar/sim/vitest uses it.

import type { Fault } from './fault.ts'
import { hostProcess } from './host.ts'
import { SimError } from './sim-error.ts'
import type { SimulationFailure } from './simulation-failure.ts'

/** One failure of a law, shrunk. */
export interface CorpusEntry {
  readonly law: string
  readonly seed: number
  readonly horizonMs: number
  readonly faults: readonly Fault[]
  /** How it failed when it was found. */
  readonly code: string
}

interface FileSystem {
  readFileSync(path: string, encoding: 'utf8'): string
  writeFileSync(path: string, text: string): void
  appendFileSync(path: string, text: string): void
  mkdirSync(path: string, options: { recursive: true }): unknown
  existsSync(path: string): boolean
}

/**
 * The failures that a file holds; none if there is no file.
 *
 * @throws {SimError} `ERR_SIM_CORPUS` for a file that holds something else.
 */
export function readCorpus(path: string): CorpusEntry[] {
  const fs = fileSystem()
  if (!fs.existsSync(path)) return []
  try {
    const entries: unknown = JSON.parse(fs.readFileSync(path, 'utf8'))
    if (Array.isArray(entries) && entries.every(isEntry)) return entries
  } catch (error) {
    throw new SimError('ERR_SIM_CORPUS', `${path} is no JSON: ${String(error)}`)
  }
  const shape = '[{ "law": …, "seed": …, "horizonMs": …, "faults": […], "code": … }]'
  throw new SimError('ERR_SIM_CORPUS', `${path} must be an array of failures: ${shape}`)
}

/** Adds a failure; it cannot be there yet, for the file is replayed before anything new is run. */
export function addToCorpus(path: string, law: string, failure: SimulationFailure): void {
  const { seed, horizonMs, faults, code } = failure
  const entries: CorpusEntry[] = [...readCorpus(path), { law, seed, horizonMs, faults, code }]
  const lines = entries.map((each) => `  ${JSON.stringify(each)}`)
  const fs = fileSystem()
  fs.mkdirSync(path.replace(/[^/\\]*$/u, ''), { recursive: true })
  fs.writeFileSync(path, `[\n${lines.join(',\n')}\n]\n`)
}

/** Adds a line to a file of totals. */
export function appendLine(path: string, value: unknown): void {
  fileSystem().appendFileSync(path, `${JSON.stringify(value)}\n`)
}

function isEntry(value: unknown): value is CorpusEntry {
  const entry = value as Partial<CorpusEntry> | null
  return (
    typeof entry?.law === 'string' &&
    typeof entry.seed === 'number' &&
    typeof entry.horizonMs === 'number' &&
    Array.isArray(entry.faults)
  )
}

function fileSystem(): FileSystem {
  const fs = hostProcess?.getBuiltinModule?.('node:fs')
  if (fs !== undefined) return fs as FileSystem
  throw new SimError('ERR_SIM_CORPUS', 'a corpus needs the file system of Node 20.19 or later')
}
