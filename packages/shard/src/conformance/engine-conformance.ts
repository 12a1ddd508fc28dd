// The conformance kit of engines: every line of the contract in engine.ts, as cases that any test
// runner can run against any engine.

import { AGGREGATE_RULES } from './aggregate-rules.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { type EngineConformanceOptions, type EngineRule, engineCase } from './engine-fixture.ts'
import { FENCE_RULES } from './fence-rules.ts'
import { FLEET_RULES } from './fleet-rules.ts'
import { ORACLE_RULES } from './oracle-rules.ts'
import { PREPARE_RULES } from './prepare-rules.ts'
import { ROW_RULES } from './row-rules.ts'
import { SCAN_RULES } from './scan-rules.ts'
import { SQL_RULES } from './sql-rules.ts'

/**
 * The cases that an engine must pass, in a fixed order.
 *
 * @example
 * for (const { name, run } of engineConformance({ open })) test(name, run)
 */
export function engineConformance(options: EngineConformanceOptions): readonly ConformanceCase[] {
  const rules: readonly EngineRule[] = [
    ...FENCE_RULES,
    ...ROW_RULES,
    ...PREPARE_RULES,
    ...SCAN_RULES,
    ...AGGREGATE_RULES,
    ...FLEET_RULES,
    ...ORACLE_RULES,
    ...(options.sql ? SQL_RULES : []),
  ]
  return rules.map((rule) => engineCase(rule, options))
}
