// What typedoc has to say, one line each. A warning is a complaint and fails the build, but for
// packages whose docstrings are still being written: theirs are only counted.

import { Logger, LogLevel } from 'typedoc'

/** Packages whose docstrings are not yet complete. */
export const PENDING: readonly string[] = []

/** Collects complaints instead of only printing them. */
export class ApiLogger extends Logger {
  readonly complaints: string[] = []
  readonly pending: string[] = []

  override log(message: string, level: LogLevel): void {
    if (level < LogLevel.Warn) return
    const isPending = PENDING.some((room) => message.includes(`@ashlar/${room}`))
    const list = isPending && level === LogLevel.Warn ? this.pending : this.complaints
    list.push(message)
  }
}
