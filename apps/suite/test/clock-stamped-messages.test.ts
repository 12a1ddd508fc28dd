import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('stamped messages', 1_500)
