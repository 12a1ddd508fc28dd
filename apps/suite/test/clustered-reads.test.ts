import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('clustered reads', 150)
