// The job log: one job at a time, worked on by whoever has the lease, and written by whoever had it
// last; a job and the map change together or not at all.

import type { JobLog, JobRecord } from '../job-log.ts'
import { demand, demandRefusal, demandSame } from './conformance-case.ts'
import { DAY_MS, mapAt, type StoreRule, until } from './map-store-fixture.ts'

const BODY = '{"é":[1,"🗿\\u0000"],"long":"…"}'

function job(id: string): { id: string; kind: string; body: string } {
  return { id, kind: 'reshard', body: BODY }
}

/** Creates a job and takes its lease. */
async function taken(jobs: JobLog, id: string = 'a', leaseMs: number = DAY_MS): Promise<number> {
  demandSame(await jobs.create(job(id)), undefined, 'a job is created')
  const token = await jobs.take(id, 'worker', leaseMs)
  demand(token !== undefined, 'nobody has its lease')
  return token
}

/** A job with the token and lease left out. */
function described(record: JobRecord | undefined): unknown {
  if (record === undefined) return undefined
  const { id, kind, body, wish, wishes, isEnded } = record
  return { id, kind, body, wish, wishes, isEnded }
}

const NEW = { id: 'a', kind: 'reshard', body: BODY, wish: undefined, wishes: 0, isEnded: false }

const RECORDS: readonly StoreRule[] = [
  {
    name: 'a job that was created is found, is the current one, and nobody works on it',
    async check({ store, connect }) {
      const { jobs } = store
      demandSame(await jobs.current(), undefined, 'no job is under way at first')
      demandSame(await jobs.find('a'), undefined, 'nor found')
      demandSame(await jobs.list(), [], 'nor listed')
      demandSame(await jobs.create(job('a')), undefined, 'it is created')
      const other = (await connect()).jobs
      for (const found of [await jobs.find('a'), await other.current(), (await other.list())[0]]) {
        demandSame(described(found), NEW, 'as it was given')
        demandSame(found!.worker, undefined, 'nobody has worked on it')
        demand(found!.leaseLeftMs <= 0, 'nor has its lease')
      }
    },
  },
  {
    name: 'there is one job at a time: another is not created, and is told which is under way',
    async check({ store, connect }) {
      const { jobs } = store
      const token = await taken(jobs)
      const other = await (await connect()).jobs.create({ ...job('b'), kind: 'migrate' })
      demandSame(described(other), NEW, 'the job that is under way')
      const again = await jobs.create({ ...job('a'), body: 'other' })
      demandSame(described(again), NEW, 'also to who creates it twice')
      demandSame(await jobs.find('b'), undefined, 'and nothing was changed')
      demandSame(await jobs.save('a', token, 'done', { end: true }), 'saved', 'it ends')
      demandSame(await jobs.create(job('b')), undefined, 'then another can be created')
      demandSame((await jobs.current())?.id, 'b', 'and is the current one')
      demandSame(described(await jobs.find('a')), { ...NEW, body: 'done', isEnded: true }, 'kept')
      await jobs.save('b', (await jobs.take('b', 'worker', DAY_MS))!, 'done', { end: true })
      await demandRefusal(() => jobs.create(job('a')), 'an id is used once')
    },
  },
  {
    name: 'of several who create a job at once, one does, and the others are told of it',
    async check({ store, connect }) {
      const handles = [store, await connect(), await connect(), await connect()]
      const found = await Promise.all(handles.map(({ jobs }, at) => jobs.create(job(`j${at}`))))
      const current = await store.jobs.current()
      demandSame(found.filter((one) => one === undefined).length, 1, 'exactly one creates it')
      for (const one of found) {
        if (one !== undefined) demandSame(one.id, current?.id, 'the one that is under way')
      }
      demandSame((await store.jobs.list()).length, 1, 'no other was kept')
    },
  },
  {
    name: 'jobs are listed newest first, 20 of them or as many as are asked for',
    async check({ store }) {
      const { jobs } = store
      const ids = Array.from({ length: 23 }, (_, at) => `j${(at * 7) % 23}`)
      for (const id of ids) await jobs.save(id, await taken(jobs, id), id, { end: true })
      const listed = async (limit?: number) => (await jobs.list(limit)).map(({ id }) => id)
      demandSame(await listed(), ids.toReversed().slice(0, 20), '20 by default')
      demandSame(await listed(3), ids.toReversed().slice(0, 3), 'or so many')
      demandSame(await jobs.current(), undefined, 'none is under way')
    },
  },
]

const LEASES: readonly StoreRule[] = [
  {
    name: 'one worker has the lease while it runs, and tokens rise with every taking',
    async check({ store, connect, sleep, leaseMs }) {
      const other = (await connect()).jobs
      const { jobs } = store
      const first = await taken(jobs, 'a', leaseMs)
      demandSame(await other.take('a', 'another', leaseMs), undefined, 'somebody has it')
      const held = await other.find('a')
      demandSame([held?.worker, held?.token], ['worker', first], 'it is told who')
      demand(held!.leaseLeftMs > 0 && held!.leaseLeftMs <= leaseMs, 'and for how long')
      await sleep(leaseMs * 2)
      demand((await other.find('a'))!.leaseLeftMs <= 0, 'the lease is over')
      const second = await other.take('a', 'another', DAY_MS)
      demand(second !== undefined && second > first, 'the next one has a higher token')
      demandSame((await jobs.find('a'))?.worker, 'another', 'and is the worker')
      const third = await jobs.take('a', 'third', DAY_MS, { force: true })
      demand(third !== undefined && third > second, 'by force at once, with one higher still')
      demandSame((await jobs.find('a'))?.token, third, 'the highest token is kept')
      demandSame(await jobs.take('b', 'worker', 1), undefined, 'there is no such job')
    },
  },
  {
    name: 'of several who take a lease at once, one has it',
    async check({ store, connect }) {
      const handles = [store, await connect(), await connect()]
      const { jobs } = store
      await jobs.create(job('a'))
      const take = (force: boolean) =>
        Promise.all(handles.map((one, at) => one.jobs.take('a', `w${at}`, DAY_MS, { force })))
      const tokens = (await take(false)).filter((token) => token !== undefined)
      demandSame(tokens.length, 1, 'exactly one')
      const forced = await take(true)
      demandSame(new Set([...tokens, ...forced]).size, 4, 'no token is given twice')
      const record = (await jobs.find('a'))!
      const highest = Math.max(...forced.map((token) => token ?? 0))
      demandSame(record.token, highest, 'who has it has the highest')
      demandSame(forced[Number(record.worker!.slice(1))], highest, 'and is the worker')
    },
  },
  {
    name: 'a lease is renewed by who has the latest token, and by nobody else',
    async check({ store, sleep, leaseMs }) {
      const { jobs } = store
      const first = await taken(jobs, 'a', leaseMs)
      demand(await jobs.renew('a', first, DAY_MS), 'its worker renews')
      await sleep(leaseMs * 2)
      demandSame(await jobs.take('a', 'another', DAY_MS), undefined, 'the lease still runs')
      demand(await jobs.renew('a', first, leaseMs), 'it may be made shorter')
      await sleep(leaseMs * 2)
      demand(await jobs.renew('a', first, leaseMs), 'a lease that is over, if nobody took it')
      await jobs.take('a', 'another', DAY_MS, { force: true })
      demand(!(await jobs.renew('a', first, DAY_MS)), 'not once another has it')
      demandSame((await jobs.find('a'))?.worker, 'another', 'which changes nothing')
      demand(!(await jobs.renew('b', 1, DAY_MS)), 'there is no such job')
    },
  },
  {
    name: 'a lease that was dropped can be taken at once; an old token drops nothing',
    async check({ store, connect }) {
      const { jobs } = await connect()
      const first = await taken(store.jobs)
      await store.jobs.drop('a', first)
      const second = await jobs.take('a', 'another', DAY_MS)
      demand(second !== undefined && second > first, 'the next one has a higher token')
      await store.jobs.drop('a', first)
      await store.jobs.drop('b', 1)
      demandSame(await store.jobs.take('a', 'third', DAY_MS), undefined, 'the lease still runs')
    },
  },
]

const SAVES: readonly StoreRule[] = [
  {
    name: 'who has the latest token writes, whether its lease is over or not, and nobody else',
    async check({ store, connect, sleep, leaseMs }) {
      const { jobs } = await connect()
      const first = await taken(store.jobs, 'a', leaseMs)
      demandSame(await store.jobs.save('a', first, 'one'), 'saved', 'its worker writes')
      await sleep(leaseMs * 2)
      demandSame(await store.jobs.save('a', first, 'two'), 'saved', 'nobody has taken it since')
      const second = (await jobs.take('a', 'another', DAY_MS))!
      const late = await store.jobs.save('a', first, 'three', { end: true })
      demandSame(late, 'fenced', 'a worker that another has followed')
      const never = await store.jobs.save('a', second + 1, 'four')
      demandSame(never, 'fenced', 'a token that was never given')
      demandSame(await store.jobs.save('b', first, 'five'), 'fenced', 'a job that is not there')
      demandSame(described(await jobs.find('a')), { ...NEW, body: 'two' }, 'nothing was written')
      demandSame(await jobs.save('a', second, BODY), 'saved', 'the latest writes')
      demandSame((await store.jobs.find('a'))?.body, BODY, 'and it is kept')
    },
  },
  {
    name: 'a job and the map change together',
    async check(fixture) {
      const { store, connect } = fixture
      const other = await connect()
      await store.compareAndSet(undefined, mapAt(1))
      const token = await taken(store.jobs)
      const seen: number[] = []
      const stop = other.watch((epoch) => seen.push(epoch))
      const map = { expected: 1, next: mapAt(2) }
      demandSame(await store.jobs.save('a', token, 'moved', { map }), 'saved', 'both are written')
      demandSame(await other.load(), mapAt(2), 'the map')
      demandSame(await other.epoch(), 2, 'its epoch')
      demandSame((await other.jobs.find('a'))?.body, 'moved', 'and the job')
      await until(fixture, () => seen.at(-1) === 2, 'watches are told of it')
      stop()
      demand(await other.compareAndSet(2, mapAt(3)), 'the map goes on from there')
    },
  },
  {
    name: 'a job and the map change not at all where the map has changed, or the token is old',
    async check({ store, connect }) {
      const { jobs } = await connect()
      const first = await taken(store.jobs)
      const none = { map: { expected: 1, next: mapAt(2) }, end: true }
      const early = await jobs.save('a', first, 'moved', none)
      demandSame(early, 'map-changed', 'there is no map yet')
      await store.compareAndSet(undefined, mapAt(1))
      await store.compareAndSet(1, mapAt(2))
      for (const expected of [1, 3]) {
        const map = { expected, next: mapAt(expected + 1) }
        const end = await jobs.save('a', first, 'moved', { map, end: true })
        demandSame(end, 'map-changed', `the map is not at epoch ${expected}`)
      }
      demandSame(described(await jobs.find('a')), NEW, 'the job is as it was')
      await jobs.take('a', 'another', DAY_MS, { force: true })
      const map = { expected: 2, next: mapAt(3) }
      demandSame(await jobs.save('a', first, 'moved', { map }), 'fenced', 'an old token')
      demandSame(await store.load(), mapAt(2), 'the map is as it was')
      demandSame(described(await jobs.find('a')), NEW, 'and so is the job')
    },
  },
  {
    name: 'where a job and others change the map at once, one of them does',
    async check({ store, connect }) {
      const other = await connect()
      await store.compareAndSet(undefined, mapAt(1))
      const token = await taken(store.jobs)
      for (let epoch = 1; epoch < 8; epoch++) {
        const map = { expected: epoch, next: mapAt(epoch + 1) }
        const [saved, isSet] = await Promise.all([
          store.jobs.save('a', token, `at ${epoch}`, { map }),
          other.compareAndSet(epoch, mapAt(epoch + 1)),
        ])
        demandSame(saved, isSet ? 'map-changed' : 'saved', 'exactly one')
        const { body } = (await other.jobs.find('a'))!
        demandSame(body === `at ${epoch}`, !isSet, 'the body tells which')
      }
    },
  },
  {
    name: 'a job that has ended stays so: it is not taken, wished for or current',
    async check({ store }) {
      const { jobs } = store
      const token = await taken(jobs)
      demandSame(await jobs.save('a', token, 'done', { end: true }), 'saved', 'it ends')
      demandSame(await jobs.save('a', token, 'done', { end: true }), 'saved', 'said twice')
      demandSame(await jobs.save('a', token, 'done'), 'saved', 'or without the end')
      await jobs.drop('a', token)
      demandSame(await jobs.take('a', 'another', 1), undefined, 'nobody takes it')
      demandSame(await jobs.take('a', 'another', 1, { force: true }), undefined, 'nor by force')
      demand(!(await jobs.wish('a', 'pause')), 'nobody wishes for anything')
      demandSame(await jobs.current(), undefined, 'none is under way')
      const ended = { ...NEW, body: 'done', isEnded: true }
      demandSame(described(await jobs.find('a')), ended, 'it is found as it ended')
    },
  },
  {
    name: 'the last wish is kept, with how many there were, whatever the worker writes',
    async check({ store, connect }) {
      const other = (await connect()).jobs
      const { jobs } = store
      demand(!(await jobs.wish('a', 'pause')), 'there is no such job')
      const token = await taken(jobs)
      demand(await other.wish('a', 'pause'), 'a wish')
      demand(await other.wish('a', 'pause'), 'the same again')
      await jobs.save('a', token, 'one')
      await jobs.renew('a', token, DAY_MS)
      const expected = { ...NEW, body: 'one', wish: 'pause', wishes: 2 }
      demandSame(described(await jobs.find('a')), expected, 'wishes are counted')
      await Promise.all([jobs.wish('a', 'x'), other.wish('a', 'x'), jobs.wish('a', 'x')])
      demandSame((await other.find('a'))?.wishes, 5, 'each of them')
      await other.wish('a', 'é🗿')
      demandSame((await jobs.current())?.wish, 'é🗿', 'the last one is told')
    },
  },
]

export const JOB_RULES: readonly StoreRule[] = [...RECORDS, ...LEASES, ...SAVES]
