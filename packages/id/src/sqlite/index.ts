export type { SqliteDatabase } from './sqlite-database.ts'
export { SqliteLeaseStore } from './sqlite-lease-store.ts'
export { SqliteTicketStore } from './sqlite-ticket-store.ts'
