// A real Redis server for a test, on 127.0.0.1 and a port of its own.

import { once } from 'node:events'
import { connect } from 'node:net'
import { findRedis, INSTALL_REDIS } from './find-redis.ts'
import { freePort } from './free-port.ts'
import { ServerProcess } from './server-process.ts'
import { serverFolder } from './unprivileged.ts'

/** What a Redis server is started with. */
export interface RedisServerOptions {
  /**
   * What survives a kill: nothing (default); what was last saved (`'snapshot'`: SAVE does it); all
   * that was acknowledged (`'append'`: synced before each reply).
   */
  readonly persistence?: 'none' | 'snapshot' | 'append'
  /** Further settings, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/**
 * Starts a server; resolves once it answers. Stop it in `afterAll`.
 *
 * @throws Error that says what to install, if there is no Redis on this machine.
 */
export async function redisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const command = findRedis()
  if (command === undefined) throw new Error(`no Redis on this machine: ${INSTALL_REDIS}`)
  const server = new RedisServer(command, await freePort(), options)
  await server.start()
  return server
}

/** A Redis server that a test owns; made by {@link redisServer}. */
export class RedisServer implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  /** For any client: `redis://127.0.0.1:port`. */
  readonly url: string
  readonly #process: ServerProcess

  constructor(command: string, port: number, options: RedisServerOptions) {
    const folder = serverFolder('redis')
    this.port = port
    this.url = `redis://${this.host}:${port}`
    this.#process = new ServerProcess({
      name: `redis-server on port ${port}`,
      command,
      args: ['--bind', this.host, '--port', String(port), '--dir', folder, ...settingsOf(options)],
      folder,
      stopSignal: 'SIGTERM',
      isReady: () => isReady(this.host, port),
    })
  }

  /** Of the running process; undefined while the server is down. */
  get pid(): number | undefined {
    return this.#process.pid
  }

  /** What the server printed so far. */
  get log(): string {
    return this.#process.log
  }

  /** Starts it again after a {@link kill}, on the same folder and port. */
  start(): Promise<void> {
    return this.#process.start()
  }

  /** Ends the process by a signal, SIGKILL by default, and resolves once it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.#process.kill(signal)
  }

  /** Kills it and starts it again. */
  async restart(signal?: NodeJS.Signals): Promise<void> {
    await this.kill(signal)
    await this.start()
  }

  /** Ends it for good and removes its folder; safe to call twice. */
  stop(): Promise<void> {
    return this.#process.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function settingsOf({ persistence = 'none', settings = {} }: RedisServerOptions): string[] {
  const all = {
    save: '',
    appendonly: persistence === 'append' ? 'yes' : 'no',
    appendfsync: 'always',
    ...settings,
  }
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)])
}

/** Whether it answers PING with PONG, and not that it is still loading. */
async function isReady(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    socket.write('PING\r\n')
    const [reply] = (await once(socket, 'data')) as [Buffer]
    return reply.toString().startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
