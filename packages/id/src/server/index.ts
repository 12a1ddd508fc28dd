export { TicketServer, type TicketServerOptions, ticketServer } from './ticket-server.ts'
