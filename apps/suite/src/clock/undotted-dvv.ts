// A broken twin of Dvv, after a flaw of the original dvvset: what `resolve` makes of siblings stays
// without a dot of its own, so that nobody's context covers it and no later write replaces it.

import { VersionVector } from '@ashlar/clock'
import type { Siblings } from './sibling-store.ts'

interface Dotted {
  readonly id: string
  readonly counter: number
  readonly value: string
}

interface Parts {
  readonly history: VersionVector
  readonly dotted: readonly Dotted[]
  /** What resolutions made: values without a dot. */
  readonly undotted: readonly string[]
}

/** The values of one key, with resolutions that cannot be overwritten. */
export class UndottedDvv implements Siblings {
  readonly #parts: Parts

  constructor(parts: Parts = { history: VersionVector.empty, dotted: [], undotted: [] }) {
    this.#parts = parts
  }

  static decode(bytes: Uint8Array): UndottedDvv {
    const { history, ...rest } = JSON.parse(new TextDecoder().decode(bytes))
    return new UndottedDvv({ history: VersionVector.of(history), ...rest })
  }

  values(): string[] {
    const { dotted, undotted } = this.#parts
    return [...undotted, ...dotted.map(({ value }) => value)]
  }

  context(): VersionVector {
    return this.#parts.history
  }

  put(value: string, context: VersionVector, server: string): UndottedDvv {
    const { history, dotted, undotted } = this.#parts
    const written = { id: server, counter: history.get(server) + 1, value }
    const kept = dotted.filter((dot) => !context.has(dot))
    const seen = history.merge(context).increment(server)
    return new UndottedDvv({ history: seen, dotted: [...kept, written], undotted })
  }

  resolve(merge: (values: string[]) => string): UndottedDvv {
    const values = this.values()
    if (values.length < 2) return this
    const { history } = this.#parts
    return new UndottedDvv({ history, dotted: [], undotted: [merge(values)] })
  }

  sync(other: UndottedDvv): UndottedDvv {
    const [mine, theirs] = [this.#parts, other.#parts]
    const dotted = [...survivors(mine, theirs), ...survivors(theirs, mine, mine.dotted)]
    const history = mine.history.merge(theirs.history)
    return new UndottedDvv({ history, dotted, undotted: newerOf(mine, theirs) })
  }

  encode(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#parts))
  }
}

/** Without dots, whole histories are all there is to compare. */
function newerOf(mine: Parts, theirs: Parts): readonly string[] {
  if (mine.history.dominates(theirs.history)) return mine.undotted
  if (theirs.history.dominates(mine.history)) return theirs.undotted
  return [...new Set([...mine.undotted, ...theirs.undotted])]
}

/** The values that the other side holds too, or has not heard of; less those already `taken`. */
function survivors({ dotted }: Parts, other: Parts, taken: readonly Dotted[] = []): Dotted[] {
  const isIn = (list: readonly Dotted[], { id, counter }: Dotted): boolean =>
    list.some((dot) => dot.id === id && dot.counter === counter)
  return dotted.filter((dot) => {
    return !isIn(taken, dot) && (isIn(other.dotted, dot) || !other.history.has(dot))
  })
}
