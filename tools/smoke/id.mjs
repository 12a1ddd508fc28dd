// The main parts of @ashlar/id, on any runtime.
import {
  createV4,
  MemoryLeaseStore,
  MemoryTicketStore,
  namespaces,
  Snowflake,
  TicketPool,
  v4,
  v5,
  v7,
  WorkerLease,
} from '@ashlar/id'

export default async () => {
  const lease = await WorkerLease.acquire(new MemoryLeaseStore(), { owner: 'smoke' })
  const ids = new Snowflake({ lease })
  const first = ids.next()
  const store = new MemoryTicketStore()
  const tickets = new TicketPool({ fetch: (count) => store.fetch(count) })
  const seen = [
    ids.next() > first,
    ids.decode(first).workerId === 0,
    (await tickets.take()) === 1,
    v7().length === 36 && v4() !== createV4()(),
    v5('www.example.com', namespaces.dns) === '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  ]
  await lease.close()
  return seen
}
