import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('sibling store', 2_000)
