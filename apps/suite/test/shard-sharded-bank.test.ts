import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('sharded bank', 400)
