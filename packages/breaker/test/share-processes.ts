// What processes that share a breaker over a real server do, whichever server it is.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { MemberReport, Mode } from './share-member.ts'

const MEMBER = fileURLToPath(import.meta.resolve('./share-member.ts'))
const PATIENCE = { timeout: 20_000, interval: 5 }

/** A real server, as the testkit makes them. */
export interface MortalServer {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
}

class Member {
  latest: MemberReport | undefined
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  constructor(client: string, url: string) {
    const args = ['--conditions=source', MEMBER, client, url]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#exited = once(this.#child, 'exit')
    this.#child.on('message', (report: MemberReport) => {
      this.latest = report
    })
  }

  get state(): string | undefined {
    return this.latest?.state
  }

  get admitted(): number {
    return this.latest!.admitted
  }

  be(mode: Mode): void {
    this.#child.send(mode)
  }

  async until(state: string): Promise<void> {
    await expect.poll(() => this.state, PATIENCE).toBe(state)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

async function withMembers(
  clients: readonly [string, string],
  url: string,
  scene: (a: Member, b: Member) => Promise<void>,
): Promise<void> {
  const members = [new Member(clients[0], url), new Member(clients[1], url)] as const
  try {
    for (const member of members) await member.until('closed')
    await scene(...members)
  } finally {
    await Promise.all(members.map((member) => member.kill()))
  }
}

/** Opens both, by failures of the first alone. */
async function openBoth(a: Member, b: Member): Promise<void> {
  b.be('idle')
  a.be('fail')
  await expect.poll(() => a.latest!.fail > 0 && a.state === 'open', PATIENCE).toBe(true)
  a.be('idle')
  await b.until('open')
}

/** The scenes, each with two processes, over the clients named. */
export function sharedProcesses(
  clients: readonly [string, string],
  serverOf: () => MortalServer,
): void {
  const client = [...new Set(clients)].join(' and ')
  test(`over ${client}, one opens and the other rejects at once, having failed never`, () => {
    return withMembers(clients, serverOf().url, async (a, b) => {
      b.be('ok')
      await expect.poll(() => b.admitted, PATIENCE).toBeGreaterThan(5)
      a.be('fail')
      await b.until('open')
      a.be('idle')
      const { admitted } = b
      await sleep(300)
      expect(b.admitted).toBe(admitted)
      expect(b.latest!.fail).toBe(0)
      b.be('ok')
      await a.until('closed')
      await b.until('closed')
    })
  })

  test(`over ${client}, one probes; it is killed, and the other probes after its time`, () => {
    return withMembers(clients, serverOf().url, async (a, b) => {
      await openBoth(a, b)
      const before = a.admitted + b.admitted
      a.be('hang')
      b.be('hang')
      const probes = () => a.admitted + b.admitted - before
      await expect.poll(probes, PATIENCE).toBe(1)
      const [holder, other] = a.latest!.holdsProbe ? [a, b] : [b, a]
      const { admitted } = other
      await holder.kill()
      other.be('ok')
      await sleep(500)
      expect([other.state, other.admitted]).toEqual(['half-open', admitted])
      await other.until('closed')
      expect(other.admitted).toBeGreaterThan(admitted)
    })
  })

  test(`over ${client}, a dead server leaves each to itself, until it is back`, () => {
    return withMembers(clients, serverOf().url, async (a, b) => {
      await serverOf().kill()
      try {
        b.be('ok')
        const { errors } = a.latest!
        a.be('fail')
        await a.until('open')
        const { admitted } = b
        a.be('ok')
        await a.until('closed')
        expect(b.admitted).toBeGreaterThan(admitted)
        expect([b.state, b.latest!.fail]).toEqual(['closed', 0])
        expect(a.latest!.errors).toBeGreaterThan(errors)
      } finally {
        await serverOf().start()
      }
      // They meet again, whoever knew more.
      await sleep(1_500)
      await openBoth(a, b)
      expect(b.latest!.fail).toBe(0)
    })
  })
}
