// An office that keeps a file on each city and edits it without asking the others: a dotted version
// vector set a city, a vector clock and a hybrid clock of its own. What it edits goes to the other
// offices as post; what two edited at once stays side by side until somebody resolves it.

import {
  compareHlc,
  Dvv,
  decodeHlc,
  encodeHlc,
  type HlcOptions,
  HybridLogicalClock,
  VectorClock,
  type VersionVector,
} from '@ashlar/clock'

/** What an edit says of a city, and where and when it was made. */
export interface Edit {
  readonly population: number
  readonly by: string
  /** The hybrid timestamp as text. */
  readonly hlc: string
}

/** What an office needs of a city's file; {@link Dvv} is one. */
export interface CityFile {
  values(): Edit[]
  context(): VersionVector
  put(edit: Edit, context: VersionVector, office: string): CityFile
  sync(other: CityFile): CityFile
  resolve(merge: (edits: Edit[]) => Edit, office: string): CityFile
}

/** What offices are built from; the tests put broken ones here. */
export interface OfficeParts {
  readonly makeFile?: () => CityFile
  readonly makeVectorClock?: (id: string) => Pick<VectorClock, 'send' | 'receive' | 'snapshot'>
  readonly makeHybridClock?: (options: HlcOptions) => Pick<HybridLogicalClock, 'now' | 'receive'>
}

/** One event of an office, as the space-time diagram has it. */
export interface Happening {
  readonly office: string
  readonly kind: 'edit' | 'resolve' | 'receive'
  readonly vector: VersionVector
  readonly hlc: string
}

/** Files on their way to another office. */
export interface Post {
  readonly from: string
  /** Which happening sent it. */
  readonly sent: Happening
  readonly files: ReadonlyMap<string, CityFile>
}

/** One office. */
export class Office {
  readonly id: string
  readonly #makeFile: () => CityFile
  readonly #vector: Pick<VectorClock, 'send' | 'receive' | 'snapshot'>
  readonly #clock: Pick<HybridLogicalClock, 'now' | 'receive'>
  readonly #files = new Map<string, CityFile>()

  /** @param now The wall clock of the office in milliseconds, which may be wrong. */
  constructor(id: string, now: () => number, parts: OfficeParts = {}) {
    const { makeFile, makeVectorClock, makeHybridClock } = parts
    this.id = id
    this.#makeFile = makeFile ?? (() => new Dvv<Edit>())
    this.#vector = makeVectorClock?.(id) ?? new VectorClock(id)
    const options: HlcOptions = { node: id, now }
    this.#clock = makeHybridClock?.(options) ?? new HybridLogicalClock(options)
  }

  file(city: string): CityFile {
    return this.#files.get(city) ?? this.#makeFile()
  }

  /** Writes what `populationOf` makes of the file, having read it, for each of the cities. */
  edit(cities: Iterable<string>, populationOf: (city: string) => number): Post {
    const hlc = this.#stamp()
    const files = new Map<string, CityFile>()
    for (const city of cities) {
      const file = this.file(city)
      const edit: Edit = { population: populationOf(city), by: this.id, hlc }
      files.set(city, file.put(edit, file.context(), this.id))
    }
    return this.#send('edit', hlc, files)
  }

  /** Leaves of siblings the one that was written last by hybrid time, as a write of its own. */
  resolve(cities: Iterable<string>): Post {
    const hlc = this.#stamp()
    const files = new Map<string, CityFile>()
    for (const city of cities) {
      const settled = (edits: Edit[]): Edit => ({ ...latest(edits), by: this.id, hlc })
      files.set(city, this.file(city).resolve(settled, this.id))
    }
    return this.#send('resolve', hlc, files)
  }

  /** Takes in what another office sent. */
  receive({ sent, files }: Post): Happening {
    this.#vector.receive(sent.vector)
    const hlc = encodeHlc(this.#clock.receive(decodeHlc(sent.hlc)))
    for (const [city, file] of files) this.#files.set(city, this.file(city).sync(file))
    return { office: this.id, kind: 'receive', vector: this.#vector.snapshot(), hlc }
  }

  #stamp(): string {
    return encodeHlc(this.#clock.now())
  }

  #send(kind: 'edit' | 'resolve', hlc: string, files: Map<string, CityFile>): Post {
    for (const [city, file] of files) this.#files.set(city, file)
    const vector = this.#vector.send()
    return { from: this.id, sent: { office: this.id, kind, vector, hlc }, files }
  }
}

function latest(edits: readonly Edit[]): Edit {
  return edits.reduce((a, b) => (compareHlc(decodeHlc(a.hlc), decodeHlc(b.hlc)) < 0 ? b : a))
}
