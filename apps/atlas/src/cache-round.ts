import type { City } from './city.ts'

/** What became of a crowd's requests, and what they cost. */
export class CacheRound {
  requests = 0
  answered = 0
  /** Requests that were refused. */
  failed = 0
  /** Requests that waited, all together for so many milliseconds. */
  waited = 0
  waitedMs = 0
  longestMs = 0
  /** Answers that are not the city that was asked for, or of an edition that never was. */
  wrong = 0
  /** Answers of an edition that is acknowledged as gone. */
  old = 0
  /** Requests that would have loaded if each did who finds nothing fresh. */
  naiveLoads = 0
  /** Most loads of one city at a time. */
  mostAtOnce = 0
  loads = 0
  /** By city, which processes loaded it, as often as they did. */
  readonly loaded: Map<string, number[]> = new Map()
  /** By process, what was asked for there. */
  readonly asked: Map<number, Map<string, City>> = new Map()

  /** Requests without an answer. */
  get lost(): number {
    return this.requests - this.answered
  }

  /** The part of the requests that were answered without waiting for a load. */
  get hitRatio(): number {
    return this.requests === 0 ? 1 : 1 - (this.waited + this.lost) / this.requests
  }

  /** A request comes to a process. */
  ask(city: City, process: number): void {
    this.requests++
    const asked = this.asked.get(process) ?? new Map<string, City>()
    asked.set(city.key, city)
    this.asked.set(process, asked)
  }

  /** A request is answered after so long. */
  answer(waitedMs: number): void {
    this.answered++
    if (waitedMs > 0) this.waited++
    this.waitedMs += waitedMs
    this.longestMs = Math.max(this.longestMs, waitedMs)
  }

  /** A load begins. */
  load(key: string, process: number, atOnce: number): void {
    this.loads++
    this.mostAtOnce = Math.max(this.mostAtOnce, atOnce)
    const processes = this.loaded.get(key) ?? []
    processes.push(process)
    this.loaded.set(key, processes)
  }

  /** Every city that was asked for. */
  get cities(): ReadonlyMap<string, City> {
    return new Map([...this.asked.values()].flatMap((asked) => [...asked]))
  }
}
