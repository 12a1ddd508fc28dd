// A disk of named files with a write-back cache. Operations on one file complete in the order in
// which they were issued. A process reads what it wrote; only what was synced survives a crash
// for certain. Of what was not, each write is lost, kept, or kept torn (a prefix of it), by
// itself: later writes may survive earlier ones, and the gap reads as zeros.
//
//   issued ─▶ in flight ─▶ applied (visible, unsynced) ─ sync ─▶ durable

import type { Actor, Life } from './actor.ts'
import { ByteStore } from './byte-store.ts'
import { DiskError } from './disk-error.ts'
import { draw, hits, saltOf, scale } from './prng.ts'
import { SimError, show } from './sim-error.ts'
import type { World } from './world.ts'

/** The disk of one node, as its process sees it. A file that was never written reads as empty. */
export interface SimDisk {
  /** Adds data (a string as UTF-8) at the end; resolves to the new size. Not durable yet. */
  append(file: string, data: Uint8Array | string): Promise<number>
  /** Writes data at a place; resolves to the new size. Not durable yet. */
  write(file: string, offset: number, data: Uint8Array | string): Promise<number>
  /** Cuts or extends a file; resolves to the new size. Not durable yet. */
  truncate(file: string, size: number): Promise<number>
  /** Makes durable what was issued to this file before; resolves to its size. */
  sync(file: string): Promise<number>
  /** A copy of the content, or of a part of it. */
  read(file: string, offset?: number, length?: number): Promise<Uint8Array>
}

/** A change of a file, `n` being the operation's number on this disk. */
type Change =
  | { readonly n: number; readonly offset: number | 'end'; readonly data: Uint8Array }
  | { readonly n: number; readonly size: number }

class SimFile {
  /** What the process sees. */
  cache = new ByteStore()
  /** What is there after a power loss, but for unsynced changes that happen to survive. */
  readonly durable = new ByteStore()
  inFlight: Change[] = []
  unsynced: Change[] = []
  lastUs = 0
}

const LATENCIES_US = {
  append: [20, 180],
  write: [20, 180],
  truncate: [20, 180],
  read: [20, 480],
  sync: [500, 4500],
} as const

type DiskOperation = keyof typeof LATENCIES_US

const encoder = new TextEncoder()

/** The disk of a machine: outlives its processes. */
export class Disk {
  readonly #world: World
  readonly #actor: Actor
  readonly #salt: number
  readonly #files = new Map<string, SimFile>()
  #operations = 0

  constructor(world: World, actor: Actor) {
    this.#world = world
    this.#actor = actor
    this.#salt = saltOf(world.options.seed, `disk/${actor.id}`)
  }

  /** The view of one process, dead when it is. */
  mount(life: Life): SimDisk {
    const change = (operation: DiskOperation, name: string, make: (n: number) => Change) => {
      const file = this.#file(name)
      const made = make(this.#operations)
      if (life.isAlive) file.inFlight.push(made)
      return this.#run(life, operation, name, file, () => {
        file.inFlight.shift()
        if (this.#strikes('diskWrite', made.n)) throw new DiskError(operation, name)
        file.unsynced.push(apply(made, file.cache))
        return file.cache.size
      })
    }
    const offsetOf = (offset: number) => checkSize('offset', offset)
    return {
      append: (file, data) =>
        change('append', file, (n) => ({ n, offset: 'end', data: bytesOf(data) })),
      write: (file, offset, data) =>
        change('write', file, (n) => ({ n, offset: offsetOf(offset), data: bytesOf(data) })),
      truncate: (file, size) =>
        change('truncate', file, (n) => ({ n, size: checkSize('size', size) })),
      sync: (file) => this.#sync(life, file),
      read: (file, offset = 0, length = Number.MAX_SAFE_INTEGER) =>
        this.#read(life, file, offsetOf(offset), checkSize('length', length)),
    }
  }

  /** The machine loses power: unsynced changes are lost with probability `loss`, or torn. */
  losePower(loss: number): void {
    for (const file of this.#files.values()) {
      const settled = file.inFlight.map((change) => apply(change, file.cache))
      for (const change of [...file.unsynced, ...settled]) {
        if (!hits(draw(this.#salt + LOST, change.n), loss)) {
          apply(this.#torn(change), file.durable)
        }
      }
      this.#remount(file, file.durable.copy(), [])
    }
  }

  /** The process dies, the machine goes on: some of what was in flight still happened. */
  loseProcess(): void {
    for (const file of this.#files.values()) {
      const done = file.inFlight.filter((change) => hits(draw(this.#salt + LOST, change.n), 0.5))
      const applied = done.map((change) => apply(change, file.cache))
      this.#remount(file, file.cache, [...file.unsynced, ...applied])
    }
  }

  #remount(file: SimFile, cache: ByteStore, unsynced: Change[]): void {
    file.cache = cache
    file.inFlight = []
    file.unsynced = unsynced
    file.lastUs = 0
  }

  #sync(life: Life, name: string): Promise<number> {
    const file = this.#file(name)
    const n = this.#operations
    return this.#run(life, 'sync', name, file, () => {
      if (this.#strikes('diskWrite', n)) throw new DiskError('sync', name)
      for (const change of file.unsynced) apply(change, file.durable)
      file.unsynced = []
      return file.cache.size
    })
  }

  #read(life: Life, name: string, offset: number, length: number) {
    const file = this.#file(name)
    const n = this.#operations
    return this.#run(life, 'read', name, file, () => {
      if (this.#strikes('diskRead', n)) throw new DiskError('read', name)
      const bytes = file.cache.read(offset, length)
      if (bytes.length > 0 && this.#strikes('bitFlip', n)) {
        const bit = scale(draw(this.#salt + WHICH_BIT, n), bytes.length * 8)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
      }
      return bytes
    })
  }

  /** Does `work` after the operation's latency, behind what was issued to the file before. */
  #run<T>(
    life: Life,
    operation: DiskOperation,
    name: string,
    file: SimFile,
    work: () => T,
  ): Promise<T> {
    if (!life.isAlive) return new Promise(() => {})
    const [least, spread] = LATENCIES_US[operation]
    const latencyUs = least + scale(draw(this.#salt, this.#operations++), spread)
    file.lastUs = Math.max(file.lastUs, this.#world.nowUs + latencyUs)
    return new Promise((resolve, reject) => {
      const complete = () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      }
      this.#world.task(this.#actor, file.lastUs, `disk ${operation} ${name}`, complete)
    })
  }

  #strikes(kind: 'diskWrite' | 'diskRead' | 'bitFlip', n: number): boolean {
    const rate = this.#actor.worst(kind)
    if (rate === 0 || !hits(draw(this.#salt + STRIKE, n), rate)) return false
    this.#world.hit(kind)
    return true
  }

  #torn(change: Change): Change {
    if (!('data' in change) || !hits(draw(this.#salt + TORN, change.n), 0.25)) return change
    const length = scale(draw(this.#salt + TORN_AT, change.n), change.data.length)
    return { ...change, data: change.data.subarray(0, length) }
  }

  #file(name: string): SimFile {
    if (typeof name !== 'string') {
      throw new SimError('ERR_SIM_DISK', `a file's name must be a string, got ${show(name)}`)
    }
    const file = this.#files.get(name) ?? new SimFile()
    this.#files.set(name, file)
    return file
  }
}

const LOST = 0x1000003
const TORN = 0x2000003
const TORN_AT = 0x3000003
const STRIKE = 0x4000003
const WHICH_BIT = 0x5000003

/** Makes a change, and returns it with its place: an append goes where the end was. */
function apply(change: Change, to: ByteStore): Change {
  if (!('data' in change)) {
    to.truncate(change.size)
    return change
  }
  const offset = change.offset === 'end' ? to.size : change.offset
  to.write(offset, change.data)
  return { ...change, offset }
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return encoder.encode(data)
  if (data instanceof Uint8Array) return data.slice()
  throw new SimError('ERR_SIM_DISK', `data must be a string or a Uint8Array, got ${show(data)}`)
}

function checkSize(what: string, size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size
  throw new SimError('ERR_SIM_DISK', `${what} must be a whole number of bytes, got ${show(size)}`)
}
