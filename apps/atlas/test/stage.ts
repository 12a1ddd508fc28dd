import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import type { Surroundings } from '../src/atlas.ts'

/** A stream that remembers what was written, and says that it is a terminal if it should. */
export class MemoryStage extends Writable {
  readonly isTTY: boolean
  text = ''

  constructor(isTTY = false) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk
    this.emit('text')
    done()
  }

  /** Resolves to the first match of `pattern` in what is or will be written. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.text)
        if (match === null) return
        this.off('text', look)
        resolve(match)
      }
      this.on('text', look)
      look()
    })
  }
}

/** Surroundings of a run inside of a test. */
export function surroundings(isTTY = false): Surroundings & {
  stdout: MemoryStage
  stderr: MemoryStage
  signals: EventEmitter
} {
  return {
    stdout: new MemoryStage(isTTY),
    stderr: new MemoryStage(),
    signals: new EventEmitter(),
    monotonic: () => performance.now(),
    now: () => Date.now(),
  }
}
