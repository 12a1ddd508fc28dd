import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('placed store', 4_000)
