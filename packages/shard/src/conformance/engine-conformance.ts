// The conformance kit of engines: every line of the contracts in engine.ts
// and slot-mover.ts, as cases that any test
// runner can run against any engine.

import { AGGREGATE_RULES } from './aggregate-rules.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { type EngineConformanceOptions, type EngineRule, engineCase } from './engine-fixture.ts'
import { FENCE_RULES } from './fence-rules.ts'
import { FLEET_RULES } from './fleet-rules.ts'
import { MOVER_CAPTURE_RULES, MOVER_SQL_RULES } from './mover-capture-rules.ts'
import { MOVER_CLEAN_RULES } from './mover-clean-rules.ts'
import { MOVER_COPY_RULES } from './mover-copy-rules.ts'
import { MOVER_FENCE_RULES } from './mover-fence-rules.ts'
import { MOVER_ORACLE_RULES } from './mover-oracle-rules.ts'
import { MOVER_START_RULES } from './mover-start-rules.ts'
import { MOVER_VERIFY_RULES } from './mover-verify-rules.ts'
import { ORACLE_RULES } from './oracle-rules.ts'
import { PREPARE_RULES } from './prepare-rules.ts'
import { ROW_RULES } from './row-rules.ts'
import { SCAN_RULES } from './scan-rules.ts'
import { SQL_RULES } from './sql-rules.ts'

/**
 * The cases that an engine must pass, in a fixed order. Those about its mover pass without a try
 * where it has none, and those about a kind of capture where it does not have that kind.
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
    ...MOVER_CAPTURE_RULES,
    ...MOVER_START_RULES,
    ...MOVER_COPY_RULES,
    ...MOVER_FENCE_RULES,
    ...MOVER_VERIFY_RULES,
    ...MOVER_CLEAN_RULES,
    ...MOVER_ORACLE_RULES,
    ...(options.sql ? [...SQL_RULES, ...MOVER_SQL_RULES] : []),
  ]
  return rules.map((rule) => engineCase(rule, options))
}
