// What a user's compiler infers.

import { expectTypeOf, test } from 'vitest'
import { assignSlots, HashRing, type Placement, Rendezvous, type SlotTable } from '../src/index.ts'

interface Server {
  readonly id: string
  readonly url: string
}

test('a placement gives back the nodes that it was given', () => {
  const servers: Server[] = [{ id: 'basalt', url: 'http://basalt' }]
  const ring = new HashRing(servers)
  expectTypeOf(ring.get('key')).toEqualTypeOf<Server | undefined>()
  expectTypeOf(ring.getN('key', 2)).toEqualTypeOf<Server[]>()
  expectTypeOf(new Rendezvous(servers).get('key')).toEqualTypeOf<Server | undefined>()
  expectTypeOf<HashRing<Server>>().toExtend<Placement<Server>>()
})

test('names alone are nodes, too', () => {
  expectTypeOf(new HashRing(['basalt']).get('key')?.id).toEqualTypeOf<string | undefined>()
  expectTypeOf(assignSlots(['basalt'])).toExtend<SlotTable<{ readonly id: string }>>()
})
