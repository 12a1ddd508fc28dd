// How a router comes by its map. A fleet without one gets its first: every shard is checked, then
// prepared, then fenced, and only then the store takes the map, if no other was faster. Until it
// does nobody routes by it, so a crash in between leaves nothing that matters, and doing it again
// ends it.
//
//   check all ─ install all ─ fences of all at epoch 1 ─ compareAndSet(none → map) ─ in force
//                                                        lost: mend fences by the winner's map
//
// Two processes that begin with different maps may both have written fences; the loser puts them
// right, and so does every later start while the fleet is at epoch 1.

import { type Engine, type Fence, REFERENCE_SLOT, type ShardTx } from './engine.ts'
import { noMap } from './router-map.ts'
import type { RouterSettings } from './router-options.ts'
import { isSilence } from './router-silence.ts'
import { ShardError, type ShardErrorCode } from './shard-error.ts'
import { ShardMap } from './shard-map.ts'
import type { TableRuleJson } from './shard-map-json.ts'
import { abortable } from './timers.ts'

/**
 * The map in force, after every shard was found fit; put in force now if there was none.
 *
 * @throws {ShardError} `NO_MAP`; `MAP_CONFLICT`; `INVALID_MAP`; `UNKNOWN_SHARD`, `UNREACHABLE`,
 * `UNSUPPORTED` or `INVALID_TABLE` with what is wrong on all shards together.
 */
export async function startMap<Tx extends ShardTx>(
  settings: RouterSettings<Tx>,
): Promise<ShardMap> {
  const { engine, store, map: given, signal } = settings
  const json = await abortable(store.load({ signal }), signal)
  const inForce = json === undefined ? undefined : ShardMap.fromJSON(json)
  const map = inForce ?? given
  if (map === undefined) throw noMap()
  if (given !== undefined) checkGiven(given, map)
  await onShards(map, settings, (shard) => engine.check(shard, { signal }), inForce !== undefined)
  if (inForce === undefined) return putInForce(map, settings)
  if (given !== undefined) await mendFences(inForce, settings)
  return inForce
}

async function putInForce<Tx extends ShardTx>(
  map: ShardMap,
  settings: RouterSettings<Tx>,
): Promise<ShardMap> {
  const { engine, store, ddl } = settings
  if (map.epoch !== 1) {
    throw new ShardError(
      'MAP_CONFLICT',
      `the store holds no map, and the one given is at epoch ${map.epoch}: the first of a fleet ` +
        'is at epoch 1; restore the store that held the ones before',
      { epoch: map.epoch },
    )
  }
  const install = { ddl, tables: map.specs() }
  await onShards(map, settings, (shard) => engine.install(shard, install))
  await onShards(map, settings, (shard) => writeFences(engine, map, shard, refuseLater))
  if (await store.compareAndSet(undefined, map.toJSON())) return map
  const winner = await store.load()
  if (winner === undefined) throw noMap()
  const inForce = ShardMap.fromJSON(winner)
  checkGiven(map, inForce)
  await mendFences(inForce, settings)
  return inForce
}

async function mendFences<Tx extends ShardTx>(
  map: ShardMap,
  settings: RouterSettings<Tx>,
): Promise<void> {
  // From epoch 2 on fences tell of changes that may be under way.
  if (map.epoch !== 1) return
  const { engine } = settings
  await onShards(map, settings, (shard) => writeFences(engine, map, shard, () => {}), true)
}

/** Writes the fences in which a shard at epoch 1 differs from the first map. */
async function writeFences(
  engine: Engine,
  map: ShardMap,
  shard: string,
  onLater: (shard: string, fence: Fence) => void,
): Promise<void> {
  // Its own slots, less those whose fences are as they should be.
  const missing = new Set([REFERENCE_SLOT, ...map.slotsOf(shard)])
  const writes: Fence[] = []
  for (const fence of await engine.fences(shard)) {
    const { slot, state, epoch } = fence
    if (epoch > map.epoch) onLater(shard, fence)
    const isOwn = missing.has(slot)
    if (epoch > map.epoch || state === 'frozen' || isOwn === (state === 'owned')) {
      missing.delete(slot)
    } else if (!isOwn) {
      writes.push({ slot, state: 'moved', epoch: map.epoch })
    }
  }
  for (const slot of missing) writes.push({ slot, state: 'owned', epoch: map.epoch })
  if (writes.length > 0) await engine.setFences(shard, writes)
}

// A store that lost its map must not start anew over rows that have moved since.
function refuseLater(shard: string, { slot, epoch }: Fence): never {
  throw new ShardError(
    'MAP_CONFLICT',
    `the store holds no map, but slot ${slot} of shard ${shard} has a fence of epoch ${epoch}: ` +
      'restore the store that these shards belong to',
    { shard, slot, epoch },
  )
}

/** The map in force wins, but an application must not route by rules that it does not expect. */
function checkGiven(given: ShardMap, inForce: ShardMap): void {
  const differing = [...given.tables].filter(([name, rule]) => {
    const other = inForce.tables.get(name)
    return other === undefined || !isSameRule(rule, other)
  })
  if (given.slots === inForce.slots && differing.length === 0) return
  const what =
    differing.length > 0
      ? `has other rules for ${differing.map(([name]) => name).join(', ')}`
      : `shares ${inForce.slots} slots by hash, not ${given.slots}`
  throw new ShardError(
    'MAP_CONFLICT',
    `the map in force (epoch ${inForce.epoch}) ${what} than the one given to open; make the ` +
      'change to the map in force first, or open without a map',
    { epoch: inForce.epoch },
  )
}

function isSameRule(a: TableRuleJson, b: TableRuleJson): boolean {
  const layout = (rule: TableRuleJson) => [
    rule.by,
    'key' in rule ? rule.key : [],
    rule.by === 'colocated' ? rule.with : '',
  ]
  return JSON.stringify(layout(a)) === JSON.stringify(layout(b))
}

/** Does it on every shard of the map; all that goes wrong comes out as one error. */
async function onShards<Tx extends ShardTx>(
  map: ShardMap,
  { unreachable, signal }: RouterSettings<Tx>,
  act: (shard: string) => Promise<void>,
  mayAllow = false,
): Promise<void> {
  const shards = map.shards.map(({ id }) => id)
  const outcomes = await abortable(Promise.allSettled(shards.map(act)), signal)
  const failures = outcomes.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [{ shard: shards[i]!, error: outcome.reason as unknown }] : [],
  )
  const isAllowed = mayAllow && unreachable === 'allow'
  const problems = isAllowed ? failures.filter(({ error }) => !isSilence(error)) : failures
  if (problems.length === 0) return
  if (problems.length === 1) throw problems[0]!.error
  const [code = 'UNREACHABLE'] = problems.flatMap(({ error }) => codeOf(error) ?? [])
  const lines = problems.map(({ shard, error }) => `${shard}: ${messageOf(error)}`)
  throw new ShardError(code, `${problems.length} shards are not fit:\n${lines.join('\n')}`, {
    missing: problems.map(({ shard }) => shard),
    cause: new AggregateError(problems.map(({ error }) => error)),
  })
}

function codeOf(error: unknown): ShardErrorCode | undefined {
  return error instanceof ShardError ? error.code : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
