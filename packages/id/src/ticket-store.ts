// The port of a ticket server: somebody who hands out numbers by the segment, each number once.
//
//   store    0 ... [ 4001 ─── count 1000 ─── 5000 ] next: 5001
//
// A store moves its counter on before it answers, so a crash at any point can lose a segment (a
// gap) but never repeat one.

/** `count` numbers: `first`, `first + step`, … */
export interface TicketSegment {
  readonly first: number
  /** At least 1; it may be less or more than was asked for. */
  readonly count: number
  /** Distance of neighbours, default 1. */
  readonly step?: number
}

/** Asks for the next segment; rejects if there is none to be had now. */
export type TicketFetch = (
  count: number,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<TicketSegment>

/**
 * Hands out numbers. `fetch` is one atomic step of the store: one round trip, no number twice,
 * also among processes. `test/ticket-store-laws.ts` is the suite that an implementation must pass.
 */
export interface TicketStore {
  /**
   * The next `count` numbers, above all that this store gave before.
   *
   * @throws IdError INVALID_OPTION unless count is an integer from 1 to 2^32; STORE_UNAVAILABLE if
   *   the store fails or is closed; EPOCH_OVERFLOW past 2^53.
   */
  fetch: TicketFetch

  /** Lets go of what the store holds; safe to call twice. */
  close(): Promise<void>
}
