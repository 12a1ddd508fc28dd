import { testSystem } from '../src/zoo/zoo-tests.ts'

testSystem('reserved worker', 1_500)
