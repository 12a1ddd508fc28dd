import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('quorum register', 4_000)
