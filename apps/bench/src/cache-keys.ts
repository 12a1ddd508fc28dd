// Keys for the bench of caches. Keys "net" are strings just decoded from bytes, as a request brings
// them: the engine has not hashed them yet. Keys "pointer" are the same string object every time.

/** Random numbers that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Names of keys drawn once, and how to have them as fresh strings again and again. */
export class KeyStream {
  readonly numbers: Int32Array
  /** The string object of each distinct key, so that a key is always the same object. */
  readonly pointers: readonly string[]
  readonly #bytes: Buffer
  readonly #ends: Int32Array

  constructor(length: number, draw: () => number) {
    this.numbers = Int32Array.from({ length }, draw)
    const named = new Map<number, string>()
    for (const number of this.numbers) named.set(number, nameOf(number))
    this.pointers = Array.from(this.numbers, (number) => named.get(number)!)
    this.#bytes = Buffer.from(this.pointers.join(''))
    let end = 0
    this.#ends = Int32Array.from(this.pointers, (name) => (end += name.length))
  }

  /** New strings for all requests. */
  net(): string[] {
    const bytes = this.#bytes
    let start = 0
    return Array.from(this.#ends, (end) => {
      const key = bytes.toString('latin1', start, end)
      start = end
      return key
    })
  }
}

export function nameOf(number: number): string {
  return `user:${number}`
}

/** Draws each key alike. */
export function uniform(keys: number, random: () => number): () => number {
  return () => Math.floor(random() * keys)
}

/** Draws keys whose popularity falls with their rank. */
export function zipf(keys: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(keys)
  let sum = 0
  for (let i = 0; i < keys; i++) {
    sum += (i + 1) ** -exponent
    sums[i] = sum
  }
  return () => {
    const at = random() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
}
