import { expect, test } from 'vitest'
import { jobWith, WELL } from './throttled-job.ts'

test('a job without a throttle waits for nothing', async () => {
  const { copy } = await jobWith(undefined)
  const { rows, spentMs } = await copy()
  expect(rows).toBeGreaterThan(40)
  expect(spentMs).toBe(0)
})

test('a job copies so many rows a second over all its shards, and no fewer', async () => {
  const { copy } = await jobWith({ rowsPerS: 10 })
  const { rows, spentMs } = await copy()
  // The last units of the two sources go out before their time is due.
  expect(spentMs).toBeGreaterThanOrEqual(((rows - 16) / 10) * 1_000)
  expect(spentMs).toBeLessThanOrEqual((rows / 10) * 1_000)
})

test.each([
  ['a shard answers slowly', { maxSourceP99Ms: 20 }, { latencyMs: 50, replicaLagMs: 0 }],
  ['a replica is behind', { maxReplicaLagMs: 100 }, { latencyMs: 1, replicaLagMs: 5_000 }],
])('while %s nothing is copied, and then all is', async (_, throttle, badly) => {
  const { timers, job, copied, copy, startedAtMs } = await jobWith(throttle, {
    health: (nowMs) => (nowMs < 60_000 ? badly : WELL),
  })
  expect(startedAtMs).toBeLessThan(60_000)
  const copying = copy()
  let most = 0
  while (timers.now() < 60_000) {
    most = Math.max(most, await copied())
    await new Promise(setImmediate)
  }
  expect(most).toBe(0)
  const { rows, spentMs } = await copying
  expect(rows).toBe((await job.status()).rows.total)
  expect(spentMs).toBeLessThan(70_000)
})

test('one slow answer among many holds nothing up', async () => {
  let asked = 0
  const health = () => {
    asked += 1
    return asked === 30 ? { latencyMs: 500, replicaLagMs: undefined } : WELL
  }
  const { copy } = await jobWith({ maxSourceP99Ms: 20 }, { health })
  expect((await copy()).spentMs).toBe(0)
  expect(asked).toBeGreaterThan(30)
})

test('a pause ends the wait', async () => {
  const health = () => ({ latencyMs: 1, replicaLagMs: 9_999 })
  const { timers, job } = await jobWith({ maxReplicaLagMs: 1 }, { health })
  const stop = new AbortController()
  const working = job.run({ until: 'catching-up', signal: stop.signal })
  const stopped = working.catch((error: unknown) => error)
  while (timers.now() < 1_000) await new Promise(setImmediate)
  await job.pause()
  while ((await job.status()).paused === undefined) await new Promise(setImmediate)
  expect(await job.status()).toMatchObject({ state: 'copying', rows: { copied: 0 } })
  stop.abort(new Error('enough'))
  expect(await stopped).toBe(stop.signal.reason)
})

test('a unit that is copied while the job is being saved is not copied again', async () => {
  const { copy, units, copied, job } = await jobWith({ rowsPerS: 10 }, { saveMs: 450 })
  await copy()
  expect(units).toEqual([...new Set(units)])
  expect(await copied()).toBe((await job.status()).rows.total)
})
