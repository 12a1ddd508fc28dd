import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('tiered reads', 250)
