// A real PostgreSQL server for a test, on 127.0.0.1 and a port of its own. The cluster is a copy
// of a template that initdb made once on this machine (0.7 s); a copy starts in about 0.2 s.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPostgres, type PostgresPrograms, type PostgresSource } from './find-postgres.ts'
import { freePort } from './free-port.ts'
import { keptFolder } from './kept-folder.ts'
import { ServerProcess } from './server-process.ts'
import { giveAway, identity, run, serverFolder } from './unprivileged.ts'

/** What a PostgreSQL server is started with. */
export interface PostgresServerOptions {
  /** Whether commits reach the disk; default false, true in suites that kill the server. */
  readonly fsync?: boolean
  /** Further settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Where to look for PostgreSQL; default PG_BIN, Debian, npm, in this order. */
  readonly sources?: readonly PostgresSource[]
}

/** Starts a server; resolves once it takes connections. Stop it in `afterAll`. */
export async function postgresServer(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const programs = findPostgres(options.sources)
  const server = new PostgresServer(programs, await freePort(), options)
  await server.start()
  return server
}

/** A PostgreSQL server that a test owns; made by {@link postgresServer}. */
export class PostgresServer implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly user = 'postgres'
  readonly database = 'postgres'
  readonly port: number
  readonly password: string
  /** For `new pg.Pool({ connectionString: url })`. */
  readonly url: string
  /** Where its programs come from, and which version they are. */
  readonly programs: PostgresPrograms
  readonly #process: ServerProcess

  constructor(programs: PostgresPrograms, port: number, options: PostgresServerOptions) {
    const template = templateOf(programs)
    const folder = serverFolder('postgres')
    const data = join(folder, 'data')
    run('cp', ['-a', join(template, 'data'), data])
    this.programs = programs
    this.port = port
    this.password = readFileSync(join(template, 'password'), 'utf8')
    this.url = `postgres://${this.user}:${this.password}@${this.host}:${port}/${this.database}`
    this.#process = new ServerProcess({
      name: `${programs.version} on port ${port}`,
      command: join(programs.bin, 'postgres'),
      args: ['-D', data, '-p', String(port), ...settingsOf(options)],
      env: programs.env,
      folder,
      stopSignal: 'SIGQUIT',
      isReady: (pid) => isReady(join(data, 'postmaster.pid'), pid),
    })
  }

  /** Of the running postmaster; undefined while the server is down. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** What the server printed so far. */
  get log(): string {
    return this.#process.log
  }

  /** Starts it again after a {@link kill}, on the same data and port. */
  start(): Promise<void> {
    return this.#process.start()
  }

  /**
   * Ends its processes by a signal, and resolves once they are gone: SIGKILL by default; SIGINT
   * for a shutdown that ends sessions, SIGTERM for one that waits for them.
   */
  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.#process.kill(signal)
  }

  /** Kills it and starts it again. */
  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.kill(signal)
    await this.start()
  }

  /** Ends it for good and removes its data; safe to call twice. */
  stop(): Promise<void> {
    return this.#process.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** A folder with a freshly initialised cluster, `data`, and its `password`. */
function templateOf({ bin, env, version }: PostgresPrograms): string {
  return keptFolder(`cluster of ${bin} ${version}`, (folder) => {
    // As the server's user: initdb refuses root. So in a folder of its own, and moved after.
    const draft = join(folder, 'draft')
    mkdirSync(draft)
    const password = randomUUID()
    writeFileSync(join(folder, 'password'), password, { mode: 0o600 })
    writeFileSync(join(draft, 'password'), password, { mode: 0o600 })
    giveAway(folder)
    const login = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${draft}/password`]
    const form = ['--encoding=UTF8', '--locale=C', '--wal-segsize=1', '--no-sync']
    const args = ['-D', join(folder, 'data'), ...login, ...form]
    run(join(bin, 'initdb'), args, { ...identity, env })
  })
}

function settingsOf({ fsync = false, settings = {} }: PostgresServerOptions): string[] {
  const durability = fsync ? 'on' : 'off'
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: durability,
    full_page_writes: durability,
    synchronous_commit: durability,
    shared_buffers: '16MB',
    max_connections: 60,
    ...settings,
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** The postmaster writes its state on the last line of its file, and its pid on the first. */
function isReady(file: string, pid: number): boolean {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    return lines[0] === String(pid) && lines.at(-1) === 'ready'
  } catch {
    return false
  }
}
