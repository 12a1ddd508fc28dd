// Memory job logs that each break one rule, with the case of the conformance kit that must catch
// it.

import type { JobLog, JobRecord } from '@ashlar/shard'
import type { MemoryMapStore } from '@ashlar/shard/memory'
import { type StoreTwin, storeBut } from './memory-store-twins.ts'

/** A store whose job log differs in part. */
function jobsBut(change: (jobs: JobLog, store: MemoryMapStore) => Partial<JobLog>) {
  return (store: MemoryMapStore) => {
    const { jobs } = store
    const sound: JobLog = {
      create: (job) => jobs.create(job),
      find: (id) => jobs.find(id),
      current: () => jobs.current(),
      list: (limit) => jobs.list(limit),
      take: (id, worker, leaseMs, options) => jobs.take(id, worker, leaseMs, options),
      renew: (id, token, leaseMs) => jobs.renew(id, token, leaseMs),
      drop: (id, token) => jobs.drop(id, token),
      save: (id, token, body, options) => jobs.save(id, token, body, options),
      wish: (id, wish) => jobs.wish(id, wish),
    }
    return storeBut(store, { jobs: { ...sound, ...change(jobs, store) } })
  }
}

const wishless = (record: JobRecord | undefined) =>
  record && { ...record, wishes: Math.min(1, record.wishes) }

export const JOB_TWINS: readonly StoreTwin[] = [
  {
    name: 'says of every job that it was created',
    caught: 'there is one job at a time: another is not created, and is told which is under way',
    wrap: jobsBut((jobs) => ({
      create: async (job) => void (await jobs.create(job)),
    })),
  },
  {
    name: 'says to all who create a job at once that they did',
    caught: 'of several who create a job at once, one does, and the others are told of it',
    wrap: jobsBut((jobs) => ({
      create: async (job) => void (await jobs.create(job)),
    })),
  },
  {
    name: 'lists the oldest first',
    caught: 'jobs are listed newest first, 20 of them or as many as are asked for',
    wrap: jobsBut((jobs) => ({
      list: async (limit) => (await jobs.list(limit)).toReversed(),
    })),
  },
  {
    name: 'gives a lease that somebody has',
    caught: 'one worker has the lease while it runs, and tokens rise with every taking',
    wrap: jobsBut((jobs) => ({
      take: (id, worker, leaseMs) => jobs.take(id, worker, leaseMs, { force: true }),
    })),
  },
  {
    name: 'gives the same token again',
    caught: 'of several who take a lease at once, one has it',
    wrap: jobsBut((jobs) => ({
      take: async (...args) => ((await jobs.take(...args)) === undefined ? undefined : 1),
    })),
  },
  {
    name: 'renews for everybody',
    caught: 'a lease is renewed by who has the latest token, and by nobody else',
    wrap: jobsBut((jobs) => ({
      renew: async (id, token, leaseMs) => {
        await jobs.renew(id, token, leaseMs)
        return true
      },
    })),
  },
  {
    name: 'drops a lease for everybody',
    caught: 'a lease that was dropped can be taken at once; an old token drops nothing',
    wrap: jobsBut((jobs) => ({
      drop: async (id) => jobs.drop(id, (await jobs.find(id))?.token ?? 0),
    })),
  },
  {
    name: 'writes for everybody',
    caught: 'who has the latest token writes, whether its lease is over or not, and nobody else',
    wrap: jobsBut((jobs) => ({
      save: async (id, _token, body, options) =>
        jobs.save(id, (await jobs.find(id))?.token ?? 0, body, options),
    })),
  },
  {
    name: 'writes the job without the map',
    caught: 'a job and the map change together',
    wrap: jobsBut((jobs) => ({
      save: (id, token, body, options) => jobs.save(id, token, body, { end: options?.end }),
    })),
  },
  {
    name: 'writes the job before it looks at the map',
    caught: 'a job and the map change not at all where the map has changed, or the token is old',
    wrap: jobsBut((jobs) => ({
      save: async (id, token, body, options) => {
        const saved = await jobs.save(id, token, body)
        return saved === 'saved' ? jobs.save(id, token, body, options) : saved
      },
    })),
  },
  {
    name: 'sets the map whatever is in force',
    caught: 'where a job and others change the map at once, one of them does',
    wrap: jobsBut((jobs, store) => ({
      save: async (id, token, body, options) => {
        for (;;) {
          const expected = await store.epoch()
          const next = options?.map && { ...options.map.next, epoch: (expected ?? 0) + 1 }
          const map = next && expected !== undefined ? { expected, next } : undefined
          const saved = await jobs.save(id, token, body, { ...options, map })
          if (saved !== 'map-changed') return saved
        }
      },
    })),
  },
  {
    name: 'takes wishes for jobs that have ended',
    caught: 'a job that has ended stays so: it is not taken, wished for or current',
    wrap: jobsBut((jobs) => ({
      wish: async (id, wish) => (await jobs.wish(id, wish)) || (await jobs.find(id)) !== undefined,
    })),
  },
  {
    name: 'does not count wishes',
    caught: 'the last wish is kept, with how many there were, whatever the worker writes',
    wrap: jobsBut((jobs) => ({
      find: async (id) => wishless(await jobs.find(id)),
    })),
  },
  {
    name: 'forgets who works on a job',
    caught: 'one worker has the lease while it runs, and tokens rise with every taking',
    wrap: jobsBut((jobs) => ({
      find: async (id) => {
        const found = await jobs.find(id)
        return found && { ...found, worker: undefined }
      },
    })),
  },
]
