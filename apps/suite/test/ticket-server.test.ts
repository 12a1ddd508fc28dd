import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('ticket server', 12_000)
