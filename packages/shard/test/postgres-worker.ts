// A worker on a resharding job in a process of its own, that dies or stands still where it is told:
// `node postgres-worker.ts <place as JSON> <job> [<step> <SIGKILL | SIGSTOP>]`. A step is
// `<method> before|after <n>`: the n-th time that a method of the mover or of the job log is
// called, or has done its work.
// It says how it ended, as one line of JSON.

import type { PostgresEngine, PostgresMapStore } from '../src/postgres/index.ts'
import { Reshard } from '../src/reshard/index.ts'
import { openPlace } from './postgres-reshard-fleet.ts'

const [place, id, step, signal] = process.argv.slice(2) as [
  string,
  string,
  string | undefined,
  NodeJS.Signals | undefined,
]
const calls = new Map<string, number>()

/** Ends or stops this process where it should be. */
function reach(label: string): void {
  const n = (calls.get(label) ?? 0) + 1
  calls.set(label, n)
  if (`${label} ${n}` === step) process.kill(process.pid, signal)
}

/** The same object, whose methods say when they begin and end. */
function watched<T extends object>(target: T): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        reach(`${String(name)} before`)
        const result: unknown = await value.apply(target, args)
        reach(`${String(name)} after`)
        return result
      }
    },
  })
}

/** Another object with a property replaced. */
function but<T extends PostgresEngine | PostgresMapStore>(target: T, name: string, by: object): T {
  return new Proxy(target, {
    get: (_, key) => {
      if (key === name) return by
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const { engine, store } = openPlace(JSON.parse(place))
const job = await Reshard.open({
  engine: but(engine, 'mover', watched(engine.mover)),
  store: but(store, 'jobs', watched(store.jobs)),
  id,
  leaseMs: 1_000,
})
const ended = await job.run().then(
  ({ state }) => state,
  (error: { readonly code?: string }) => error.code ?? String(error),
)
process.stdout.write(`${JSON.stringify(ended)}\n`)
await engine.close()
await store.close()
