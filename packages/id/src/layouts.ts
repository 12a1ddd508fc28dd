// The layouts that the field knows, as data. Bits from the top; `·` is one unused sign bit:
//
//   ashlar        · 41 ms | 5 datacenter | 5 worker | 12 sequence        2024-01-01, to 2093
//   twitter       · 41 ms | 5 datacenter | 5 worker | 12 sequence        2010-11-04, to 2080
//   discord         42 ms | 5 worker     | 5 process | 12 increment      2015-01-01, to 2154
//   instagram       41 ms | 13 shard | 10 sequence                       2011-08-24, to 2081
//   mastodon        48 ms | 16 sequence                                  1970-01-01, to 10889
//   sonyflake     · 39 × 10 ms | 8 sequence | 16 machine                 2025-01-01, to 2199
//   safeInteger     41 ms | 5 worker | 7 sequence, 53 bits in all        2024-01-01, to 2093

import type { Layout } from './layout.ts'

const ASHLAR: Layout = {
  epoch: 1_704_067_200_000,
  unitMs: 1,
  timeBits: 41,
  datacenterBits: 5,
  workerBits: 5,
  sequenceBits: 12,
}

const TWITTER: Layout = { ...ASHLAR, epoch: 1_288_834_974_657 }

/**
 * Layouts to choose from, or to spread into one of your own: `{ ...layouts.twitter, epoch }`.
 *
 * Discord's two fields are called datacenter (its internal worker) and worker (its process) here.
 * Instagram's and Mastodon's ids use the sign bit: `BigInt.asIntN(64, id)` is what a signed column
 * holds, and `decode` takes both forms. Sonyflake's epoch is that of its version 2.
 */
export const layouts: {
  readonly ashlar: Layout
  readonly twitter: Layout
  readonly discord: Layout
  readonly instagram: Layout
  readonly mastodon: Layout
  readonly sonyflake: Layout
  readonly safeInteger: Layout
} = {
  ashlar: ASHLAR,
  twitter: TWITTER,
  discord: { ...ASHLAR, epoch: 1_420_070_400_000, timeBits: 42 },
  instagram: {
    epoch: 1_314_220_021_721,
    unitMs: 1,
    timeBits: 41,
    workerBits: 13,
    sequenceBits: 10,
  },
  mastodon: { epoch: 0, unitMs: 1, timeBits: 48, workerBits: 0, sequenceBits: 16 },
  sonyflake: {
    epoch: 1_735_689_600_000,
    unitMs: 10,
    timeBits: 39,
    workerBits: 16,
    sequenceBits: 8,
    order: 'sequence-worker',
  },
  safeInteger: {
    epoch: 1_704_067_200_000,
    unitMs: 1,
    timeBits: 41,
    workerBits: 5,
    sequenceBits: 7,
  },
}
