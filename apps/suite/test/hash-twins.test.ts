import * as laws from '../src/hash/hash-laws.ts'
import * as twins from '../src/hash/hash-twins.ts'
import { testTwins } from '../src/law-twins.ts'

testTwins({
  system: 'hash',
  right: twins.right,
  laws: {
    'UTF-8': laws.utf8,
    avalanche: laws.avalanche,
    seeds: laws.seeds,
    'even slots': laws.evenSlots,
  },
  twins: [
    { bug: 'reads UTF-16', law: 'UTF-8', twin: twins.utf16Units },
    { bug: 'loses the tail', law: 'avalanche', twin: twins.lostTail },
    { bug: 'never mixes downwards', law: 'avalanche', twin: twins.noAvalanche },
    { bug: 'adds the seed last', law: 'seeds', twin: twins.seedAddedLast },
    { bug: 'takes slots from 16 bits', law: 'even slots', twin: twins.slotsOf16Bits },
    { bug: 'takes slots from signed hashes', law: 'even slots', twin: twins.signedSlots },
  ],
})
