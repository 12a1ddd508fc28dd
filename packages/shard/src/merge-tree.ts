// A loser tree: the tournament of k sorted inputs. Inner node n (1 … k - 1) remembers who lost the
// match there; leaves k … 2k - 1 are the inputs. When the winner's input moves on, only the
// matches on its way up are played again: one comparison a level, where a heap takes two.
// Knuth, The Art of Computer Programming 3, section 5.4.1.

/** Says which of two inputs goes first; must be a strict order, ties broken by the caller. */
export type Beats = (a: number, b: number) => boolean

/** Finds again and again the first of k inputs in `log2 k` comparisons, without allocation. */
export class LoserTree {
  readonly #inputs: number
  readonly #beats: Beats
  readonly #losers: Int32Array
  #winner: number

  /** @param inputs At least 1; numbered from 0. */
  constructor(inputs: number, beats: Beats) {
    this.#inputs = inputs
    this.#beats = beats
    this.#losers = new Int32Array(inputs)
    this.#winner = this.#play(1)
  }

  /** The input that goes first. */
  get winner(): number {
    return this.#winner
  }

  /** To be called when the winner's input has moved on. */
  replay(): void {
    const losers = this.#losers
    let winner = this.#winner
    for (let node = (winner + this.#inputs) >> 1; node > 0; node >>= 1) {
      const rival = losers[node]!
      if (this.#beats(rival, winner)) {
        losers[node] = winner
        winner = rival
      }
    }
    this.#winner = winner
  }

  #play(node: number): number {
    if (node >= this.#inputs) return node - this.#inputs
    const left = this.#play(2 * node)
    const right = this.#play(2 * node + 1)
    const leftWins = this.#beats(left, right)
    this.#losers[node] = leftWins ? right : left
    return leftWins ? left : right
  }
}
