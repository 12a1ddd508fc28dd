// One server of a test through its life: started, killed, started again on the same folder and
// port, and gone at the end, also when the test failed or the process that ran it was killed.
//
//   folder/pid   the process, while there is one       folder/log   what it printed
//
// The last is seen to by a shell that waits for the end of its standard input, which the system
// closes when we die, however we die. It then kills the process and removes the folder.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { identity, run } from './unprivileged.ts'

/** What a server is started with, and how it says that it is ready. */
export interface ServerProgram {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Its own; removed at the end. */
  readonly folder: string
  /** Ends the process in a clean way. */
  readonly stopSignal: NodeJS.Signals
  /** Whether the process answers. */
  readonly isReady: (pid: number) => boolean | Promise<boolean>
}

/** A start that takes longer than this has failed. */
const START_MS = 30_000
/** A process that does not stop within this is killed. */
const STOP_MS = 10_000

const GUARD = `
cat > /dev/null
[ -f "$1/pid" ] && kill -QUIT "$(cat "$1/pid")" && sleep 0.5
[ -f "$1/pid" ] && kill -KILL "$(cat "$1/pid")"
rm -rf "$1"
`

/** Runs a server; nothing happens before `start`. */
export class ServerProcess {
  readonly #program: ServerProgram
  readonly #guard: ChildProcess
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(program: ServerProgram) {
    this.#program = program
    // In a session of its own: Ctrl-C at a terminal must end us, not the guard.
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'guard', program.folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#guard.unref()
    const input = this.#guard.stdin as { unref?: () => void } | null
    input?.unref?.()
  }

  /** Of the running process, undefined when there is none. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What the server printed so far. */
  get log(): string {
    return readFileSync(join(this.#program.folder, 'log'), 'utf8')
  }

  /** Resolves once the server answers; throws with its log if it ends before. */
  async start(): Promise<void> {
    const { name } = this.#program
    if (this.#stopping !== undefined) throw new Error(`${name} was stopped: start another one`)
    if (this.#child !== undefined) throw new Error(`${name} runs already, as ${this.pid}`)
    const deadline = performance.now() + START_MS
    while (!(await this.#tryStart(deadline))) {
      // What a killed server left may take a moment to go: its processes, its port.
      if (performance.now() > deadline || !/in use|lock file/u.test(this.log.slice(-2000))) {
        throw new Error(`${name} did not start:\n${this.log.slice(-4000)}`)
      }
      await sleep(50)
    }
  }

  /** Kills the process and its children, and resolves once it is gone; nothing if there is none. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    if (signal === 'SIGKILL') {
      // Held first, so that no child is born while they are counted.
      process.kill(child.pid, 'SIGSTOP')
      for (const pid of childrenOf(child.pid)) killIfThere(pid)
    }
    // A server is no reason for its test to stay alive, but its end is worth waiting for.
    child.ref()
    child.kill(signal)
    await this.#exited
  }

  /** Ends the server for good and removes its folder; safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS)
    await this.kill(this.#program.stopSignal)
    clearTimeout(timer)
    rmSync(this.#program.folder, { recursive: true, force: true, maxRetries: 5 })
    this.#guard.stdin?.end()
  }

  /** False if the process ended before it was ready. */
  async #tryStart(deadline: number): Promise<boolean> {
    const { command, args, env, folder, isReady } = this.#program
    const log = openSync(join(folder, 'log'), 'a')
    const child = spawn(command, args, {
      ...identity,
      env: { ...process.env, ...env },
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    this.#child = child
    this.#exited = new Promise((resolve) => {
      const ended = () => {
        rmSync(join(folder, 'pid'), { force: true })
        this.#child = undefined
        resolve(undefined)
      }
      child.once('exit', ended)
      child.once('error', ended)
    })
    if (child.pid !== undefined) writeFileSync(join(folder, 'pid'), `${child.pid}\n`)
    while (this.#child === child && child.pid !== undefined) {
      if (await isReady(child.pid)) return true
      if (performance.now() > deadline) await this.kill()
      await sleep(10)
    }
    await this.#exited
    return false
  }
}

function childrenOf(pid: number): number[] {
  try {
    return numbersIn(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
  } catch {
    const all = run('ps', ['-A', '-o', 'pid=,ppid=']).split('\n').map(numbersIn)
    return all.flatMap(([child, parent]) => (parent === pid ? [child!] : []))
  }
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d+/gu)].map(Number)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in the meantime.
  }
}
