// The conformance kits are worth what they catch: engines and stores that break one rule each.

import {
  type ConformanceCase,
  ConformanceFailure,
  engineConformance,
  mapStoreConformance,
} from '@ashlar/shard/conformance'
import { describe, expect, test } from 'vitest'
import { openTwin } from './memory-engine-twin.ts'
import { ENGINE_TWINS } from './memory-engine-twins.ts'
import { JOB_TWINS } from './memory-job-twins.ts'
import { MOVER_TWINS } from './memory-mover-twins.ts'
import { openStoreTwin, STORE_TWINS } from './memory-store-twins.ts'
import { VirtualTimers } from './memory-virtual-timers.ts'

async function expectCaught(cases: readonly ConformanceCase[], caught: string): Promise<void> {
  const named = cases.find((one) => one.name === caught)
  await expect(named!.run()).rejects.toThrow(ConformanceFailure)
}

describe('the engine kit catches an engine that', () => {
  for (const twin of [...ENGINE_TWINS, ...MOVER_TWINS]) {
    test(twin.name, () => {
      const cases = engineConformance({ open: openTwin(twin), patienceMs: 5, limitMs: 2_000 })
      return expectCaught(cases, twin.caught)
    })
  }
})

describe('the map store kit catches a store that', () => {
  for (const twin of [...STORE_TWINS, ...JOB_TWINS]) {
    test(twin.name, () => {
      const timers = new VirtualTimers()
      const cases = mapStoreConformance({ open: openStoreTwin(twin, timers), timers })
      return expectCaught(cases, twin.caught)
    })
  }
})
