import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('breakers on a ring', 150)
