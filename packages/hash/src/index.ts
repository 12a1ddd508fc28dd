export { xxh32 } from './xxh32.ts'
