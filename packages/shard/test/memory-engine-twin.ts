// What a broken twin of the memory engine is made of: how it differs, how the kit opens it, and
// ways to change what transactions and scans do.

import type {
  Fence,
  FenceState,
  OpenTransaction,
  Row,
  Scan,
  ScanRequest,
  ShardTx,
  SlotMover,
} from '@ashlar/shard'
import type { EngineUnderTest } from '@ashlar/shard/conformance'
import { MemoryDatabase, MemoryEngine } from '@ashlar/shard/memory'

type Open = MemoryEngine['open']
type ScanOf = MemoryEngine['scan']

/** How a twin differs from what it is a twin of. */
export interface EngineTwin {
  readonly name: string
  /** The name of the case that must catch it. */
  readonly caught: string
  readonly database?: typeof MemoryDatabase
  /** In place of `open`, given the sound one. */
  readonly open?: (sound: Open, engine: MemoryEngine) => Open
  /** In place of `scan`, given the sound one. */
  readonly scan?: (sound: ScanOf) => ScanOf
  readonly setFences?: (
    shard: string,
    fences: readonly Fence[],
    engine: MemoryEngine,
  ) => void | Promise<void>
  /** In place of methods of the mover, given a sound one on the same databases. */
  readonly mover?: (sound: SlotMover, engine: MemoryEngine) => Partial<SlotMover>
  /** Done to each database by a crash. */
  readonly crash?: (database: MemoryDatabase) => void
}

/** Opens engines with that one difference, for the kit. */
export function openTwin(twin: EngineTwin) {
  return async (shards: readonly string[]): Promise<EngineUnderTest> => {
    const Database = twin.database ?? MemoryDatabase
    const databases = Object.fromEntries(shards.map((shard) => [shard, new Database()]))
    const make = () => {
      const engine = new MemoryEngine({ shards: databases, lockWaitMs: 200 })
      const sound = { open: engine.open.bind(engine), scan: engine.scan.bind(engine) }
      if (twin.open) engine.open = twin.open(sound.open, engine)
      if (twin.scan) engine.scan = twin.scan(sound.scan)
      const { setFences } = twin
      if (setFences) engine.setFences = async (shard, fences) => setFences(shard, fences, engine)
      const { mover } = new MemoryEngine({ shards: databases })
      Object.assign(engine.mover, twin.mover?.(mover, engine))
      return engine
    }
    let engine = make()
    const reopen = async () => {
      await engine.close()
      for (const database of Object.values(databases)) twin.crash?.(database)
      engine = make()
      return engine
    }
    return { engine, reopen, close: () => engine.close() }
  }
}

/** A transaction like another, whose handles are changed. */
export function withTx(
  inner: OpenTransaction<ShardTx>,
  change: (tx: ShardTx, slot: number) => ShardTx,
): OpenTransaction<ShardTx> {
  return {
    tx: (slot) => change(inner.tx(slot), slot),
    commit: () => inner.commit(),
    rollback: () => inner.rollback(),
    prepare: (transaction) => inner.prepare(transaction),
  }
}

/** A scan whose rows are all read and changed before they are given. */
export function withRows(change: (rows: Row[], request: ScanRequest) => readonly Row[]) {
  return (sound: ScanOf): ScanOf =>
    async (shard, request, options): Promise<Scan> => {
      const scan = await sound(shard, request, options)
      const rows = async function* () {
        const all: Row[] = []
        for await (const batch of scan.rows()) all.push(...batch)
        yield change(all, request)
      }
      return { owned: scan.owned, rows, close: () => scan.close() }
    }
}

/** Scans for another request. */
export const withRequest =
  (change: (request: ScanRequest) => ScanRequest) =>
  (sound: ScanOf): ScanOf =>
  (shard, request, options) =>
    sound(shard, change(request), options)

/** A moment in which others go on. */
export const moment = (): Promise<void> => new Promise<void>((resolve) => setImmediate(resolve))

/** Does something while the fences of a shard that stand in one state seem to stand in another. */
export async function pretending<T>(
  engine: MemoryEngine,
  shard: string,
  [from, to]: readonly [FenceState, FenceState],
  work: () => Promise<T>,
): Promise<T> {
  const database = engine.database(shard)
  const fences = [...database.fences.values()]
  const inState = (fence: Fence) => fence.state === from
  database.setFences(fences.filter(inState).map((fence) => ({ ...fence, state: to })))
  try {
    return await work()
  } finally {
    database.setFences(fences.filter(inState))
  }
}
