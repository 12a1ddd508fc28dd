import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('pooled tickets', 2_000)
