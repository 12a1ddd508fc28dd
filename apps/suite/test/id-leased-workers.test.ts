import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('leased workers', 1_000)
