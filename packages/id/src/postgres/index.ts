export type { PostgresClient } from './postgres-client.ts'
export { PostgresLeaseStore } from './postgres-lease-store.ts'
export { PostgresTicketStore } from './postgres-ticket-store.ts'
