import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('causal broadcast', 2_000)
