export { type Host, runCommand } from './command.ts'
export type { CommandConfig } from './config.ts'
