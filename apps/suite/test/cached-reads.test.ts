import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('cached reads', 500)
