import { describe, expect, test } from 'vitest'
import { MemoryTicketStore, type TicketSegment } from '../src/index.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { expectDisjointSegments, ticketStoreLaws } from './ticket-store-laws.ts'

ticketStoreLaws('MemoryTicketStore', async () => {
  const store = new MemoryTicketStore()
  return { open: async () => store.connect(), dispose: () => store.close() }
})

describe('MemoryTicketStore', () => {
  test('begins at 1, or where it is told', async () => {
    expect(await new MemoryTicketStore().fetch(5)).toEqual({ first: 1, count: 5 })
    expect(await new MemoryTicketStore({ first: 0 }).fetch(5)).toEqual({ first: 0, count: 5 })
    expect(idErrorOf(() => new MemoryTicketStore({ first: -1 })).code).toBe('INVALID_OPTION')
  })

  test('ends at 2^53', async () => {
    const store = new MemoryTicketStore({ first: Number.MAX_SAFE_INTEGER - 1 })
    expect((await idRejectionOf(store.fetch(3))).code).toBe('EPOCH_OVERFLOW')
    expect((await store.fetch(2)).first).toBe(Number.MAX_SAFE_INTEGER - 1)
  })
})

describe('a broken ticket store is caught', () => {
  test('one that reads, waits, and writes what it read', async () => {
    let next = 1
    const readThenWrite = async (count: number): Promise<TicketSegment> => {
      const first = next
      await Promise.resolve()
      next = first + count
      return { first, count }
    }
    const segments = await Promise.all([readThenWrite(3), readThenWrite(3)])
    expect(() => expectDisjointSegments(segments)).toThrow()
  })
})
