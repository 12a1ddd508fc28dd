// What typedoc complains about, one line each.

import { Logger, LogLevel } from 'typedoc'

/** Collects complaints instead of only printing them. */
export class ApiLogger extends Logger {
  readonly complaints: string[] = []

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.complaints.push(message)
  }
}
