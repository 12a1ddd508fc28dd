// A job's body as text, and back. What comes from the store is checked field by field: a worker of
// another version, or a hand in the table, must not make this one move the wrong rows.

import type { TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { readShard } from '../shard-map-reader.ts'
import { show } from '../show.ts'
import type {
  OpenFlip,
  ReshardBody,
  ReshardFigures,
  ReshardPair,
  ReshardPause,
  ReshardRules,
} from './reshard-body.ts'
import { RESHARD_STATES } from './reshard-state.ts'
import { runsOf, type SlotRun, slotsOfRuns } from './slot-runs.ts'

/** The text that {@link decodeBody} reads. */
export function encodeBody(body: ReshardBody): string {
  const { flip, pairs } = body
  return JSON.stringify({
    ...body,
    pairs: pairs.map((pair) => ({ ...pair, slots: runsOf(pair.slots) })),
    flip: flip && { ...flip, slots: runsOf(flip.slots) },
  })
}

/**
 * The body that a text describes.
 *
 * @throws {ShardError} `INVALID_JOB`, naming the place, for anything that is not a whole body.
 */
export function decodeBody(text: string): ReshardBody {
  const fields = new Fields(parsed(text), '')
  fields.one('format', ['@ashlar/shard/job'])
  if (fields.at('version') !== 1) {
    throw invalid('version', '1, the only one known here', fields.at('version'))
  }
  return {
    format: '@ashlar/shard/job',
    version: 1,
    state: fields.one('state', RESHARD_STATES),
    direction: fields.one('direction', ['forward', 'back'] as const),
    isAborting: fields.flag('isAborting'),
    isCutOver: fields.flag('isCutOver'),
    isFinishing: fields.flag('isFinishing'),
    admit: fields.list('admit', (value, place) => readShard(value, place)),
    dismiss: fields.list('dismiss', readText),
    reweigh: fields.list('reweigh', (value, place) => readShard(value, place)),
    tables: fields.list('tables', readTable),
    rules: readRules(fields.sub('rules')),
    pairs: fields.list('pairs', readPair),
    admittedAt: fields.optional('admittedAt', readWhole),
    flip: fields.optional('flip', readFlip),
    wishes: readWhole(fields.at('wishes'), 'wishes'),
    paused: fields.optional('paused', readPause),
    committedAtMs: fields.optional('committedAtMs', readNumber),
    figures: readFigures(fields.sub('figures')),
  }
}

function readRules(fields: Fields): ReshardRules {
  return {
    capture: fields.one('capture', ['trigger', 'logical'] as const),
    ddl: fields.list('ddl', readText),
    rowsPerS: fields.optional('rowsPerS', readNumber),
    maxSourceP99Ms: fields.optional('maxSourceP99Ms', readNumber),
    maxReplicaLagMs: fields.optional('maxReplicaLagMs', readNumber),
    batchSlots: fields.number('batchSlots'),
    maxFreezeMs: fields.number('maxFreezeMs'),
    maxBarrierMs: fields.number('maxBarrierMs'),
    verify: fields.one('verify', ['checksum', 'full'] as const),
    auto: fields.flag('auto'),
    reversibleMs: fields.optional('reversibleMs', readNumber),
  }
}

function readPair(value: unknown, place: string): ReshardPair {
  const fields = new Fields(value, place)
  const slots = slotsOfRuns(fields.list('slots', readRun))
  const count = (name: string, most: number): number => {
    const given = readWhole(fields.at(name), `${place}.${name}`)
    if (given > most) throw invalid(`${place}.${name}`, `at most ${most}`, given)
    return given
  }
  const copied = count('copied', slots.length)
  return {
    from: fields.text('from'),
    to: fields.text('to'),
    slots,
    copied,
    verified: count('verified', slots.length),
    flipped: count('flipped', slots.length),
  }
}

function readFlip(value: unknown, place: string): OpenFlip {
  const fields = new Fields(value, place)
  return {
    from: fields.text('from'),
    to: fields.text('to'),
    slots: slotsOfRuns(fields.list('slots', readRun)),
    epoch: readWhole(fields.at('epoch'), `${place}.epoch`),
  }
}

function readRun(value: unknown, place: string): SlotRun {
  if (!Array.isArray(value) || value.length !== 2) throw invalid(place, '[first, count]', value)
  return [readWhole(value[0], `${place}[0]`), readWhole(value[1], `${place}[1]`)]
}

function readTable(value: unknown, place: string): TableSpec {
  const fields = new Fields(value, place)
  return {
    name: fields.text('name'),
    kind: fields.one('kind', ['sharded', 'reference'] as const),
    key: fields.list('key', readText),
    primaryKey: fields.optional('primaryKey', (columns, at) =>
      new Fields({ columns }, at).list('columns', readText),
    ),
  }
}

function readPause(value: unknown, place: string): ReshardPause {
  const fields = new Fields(value, place)
  return { code: fields.optional('code', readText), message: fields.text('message') }
}

function readFigures(fields: Fields): ReshardFigures {
  return {
    startedAtMs: fields.number('startedAtMs'),
    rows: fields.number('rows'),
    bytes: fields.number('bytes'),
    rowsCopied: fields.number('rowsCopied'),
    bytesCopied: fields.number('bytesCopied'),
    copyMs: fields.number('copyMs'),
    changes: fields.number('changes'),
    lagKeys: fields.number('lagKeys'),
    freezesMs: fields.list('freezesMs', readNumber),
    thaws: fields.number('thaws'),
  }
}

/** The fields of an object: a name such as `__proto__` is a field like any other. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #place: string

  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(place === '' ? 'it' : place, 'an object', value)
    }
    this.#fields = new Map(Object.entries(value))
    this.#place = place
  }

  at(name: string): unknown {
    return this.#fields.get(name)
  }

  one<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.at(name)
    const found = allowed.find((one) => one === value)
    if (found === undefined) throw invalid(this.#in(name), allowed.join(' or '), value)
    return found
  }

  flag(name: string): boolean {
    const value = this.at(name)
    if (typeof value !== 'boolean') throw invalid(this.#in(name), 'true or false', value)
    return value
  }

  text(name: string): string {
    return readText(this.at(name), this.#in(name))
  }

  number(name: string): number {
    return readNumber(this.at(name), this.#in(name))
  }

  sub(name: string): Fields {
    return new Fields(this.at(name), this.#in(name))
  }

  list<T>(name: string, read: (value: unknown, place: string) => T): T[] {
    const value = this.at(name)
    if (!Array.isArray(value)) throw invalid(this.#in(name), 'a list', value)
    return value.map((one: unknown, i) => read(one, `${this.#in(name)}[${i}]`))
  }

  optional<T>(name: string, read: (value: unknown, place: string) => T): T | undefined {
    const value = this.at(name)
    return value === undefined || value === null ? undefined : read(value, this.#in(name))
  }

  #in(name: string): string {
    return this.#place === '' ? name : `${this.#place}.${name}`
  }
}

function readText(value: unknown, place: string): string {
  if (typeof value !== 'string') throw invalid(place, 'a string', value)
  return value
}

function readNumber(value: unknown, place: string): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw invalid(place, 'a number of at least 0', value)
  }
  return value
}

function readWhole(value: unknown, place: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw invalid(place, 'a whole number of at least 0', value)
  }
  return value as number
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('it', 'JSON', text)
  }
}

function invalid(place: string, must: string, got: unknown): ShardError {
  return new ShardError(
    'INVALID_JOB',
    `the record of the job is not valid: ${place} must be ${must}, got ${show(got)}`,
  )
}
