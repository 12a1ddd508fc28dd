import { describe, expect, test } from 'vitest'
import { type Closing, Ledger } from './reshard-ledger.ts'

/** Two accounts with an entry each and one over both, all acknowledged; a flag; a note. */
function written(): { ledger: Ledger; closing: Closing } {
  const ledger = new Ledger()
  for (const [entry, counts] of [
    ['e1', { a: 1 }],
    ['e2', { b: 1 }],
    ['e3', { a: 2, b: 2 }],
  ] as const) {
    ledger.begin(entry, Object.keys(counts))
    ledger.acknowledge(entry, new Map(Object.entries(counts)))
  }
  ledger.setting('flag f', 'on')
  ledger.set('flag f', 'on')
  const closing: Closing = {
    accounts: [
      { id: 'a', n: 2 },
      { id: 'b', n: 2 },
    ],
    entries: [
      { id: 'e1 a', account: 'a', n: 1 },
      { id: 'e2 b', account: 'b', n: 1 },
      { id: 'e3 a', account: 'a', n: 2 },
      { id: 'e3 b', account: 'b', n: 2 },
    ],
    states: new Map([['flag f', 'on']]),
  }
  return { ledger, closing }
}

const without = (closing: Closing, id: string): Closing => ({
  ...closing,
  entries: closing.entries.filter((entry) => entry.id !== id),
})

describe('the checker of clients', () => {
  test('raises no alarm over what is as it was acknowledged', () => {
    const { ledger, closing } = written()
    expect(ledger.close(closing)).toBeUndefined()
  })

  test('allows for writes that were not answered, made or not', () => {
    const { ledger, closing } = written()
    ledger.begin('e4', ['a'])
    ledger.setting('flag f', 'none')
    expect(ledger.close({ ...closing, states: new Map() })).toBeUndefined()
    const more = written()
    more.ledger.begin('e4', ['a'])
    const accounts = [
      { id: 'a', n: 3 },
      { id: 'b', n: 2 },
    ]
    const entries = [...closing.entries, { id: 'e4 a', account: 'a', n: 3 }]
    expect(more.ledger.close({ ...closing, accounts, entries })).toBeUndefined()
  })

  const faults: readonly [string, (closing: Closing) => Closing, RegExp][] = [
    ['a lost entry', (c) => without(c, 'e1 a'), /^lost/],
    ['a lost half', (c) => without(c, 'e3 b'), /^torn/],
    [
      'a lost count',
      (c) => ({ ...c, accounts: [{ id: 'a', n: 1 }, c.accounts[1]!] }),
      /^lost: a counts 1 after 2/,
    ],
    [
      'a phantom',
      (c) => ({ ...c, entries: [...c.entries, { id: 'e9 a', account: 'a', n: 3 }] }),
      /^phantom/,
    ],
    [
      'an entry that is there twice',
      (c) => ({ ...c, entries: [...c.entries, c.entries[0]!] }),
      /^count/,
    ],
    [
      'entries in another order',
      (c) => ({ ...c, entries: c.entries.map((e) => ({ ...e, n: e.id === 'e1 a' ? 2 : e.n })) }),
      /^count/,
    ],
    ['a flag that went back', (c) => ({ ...c, states: new Map([['flag f', 'off']]) }), /^wrong/],
    ['a flag that is gone', (c) => ({ ...c, states: new Map() }), /^wrong/],
  ]
  test.each(faults)('finds %s', (_, spoil, found) => {
    const { ledger, closing } = written()
    expect(ledger.close(spoil(closing))).toMatch(found)
  })

  test('finds reads that go back, of counts, of reference rows and of one scatter', () => {
    const stale = written().ledger
    stale.sawCount('a', 2, 1)
    expect(stale.problem).toMatch(/^stale: a was read as 1 after 2/)
    const old = new Ledger()
    old.sawReference(3, true, 0)
    old.sawReference(2, true, old.referenceFloor)
    expect(old.problem).toMatch(/^stale: the reference row/)
    const double = written().ledger
    double.sawEntries(['e1 a', 'e1 a'], [])
    expect(double.problem).toMatch(/^twice/)
    const missing = written().ledger
    missing.sawEntries(['e1 a'], missing.ackedEntries())
    expect(missing.problem).toMatch(/^lost: a scatter misses entry e2/)
  })

  test('finds a mark that two were the first to set', () => {
    const { ledger } = written()
    ledger.marked('m', 'a')
    expect(ledger.problem).toBeUndefined()
    ledger.marked('m', 'a')
    expect(ledger.problem).toMatch(/^twice: mark m/)
  })
})
