// What a node must not forget, as JSON lines in the order in which it delivered:
//
//   {"self", "known", "stable"}   the first line
//   {"message"} or {"stable"}     what came since
//
// Every prefix is causally closed, so a torn end costs only what nobody was told of. Opening
// rewrites the file: the torn end goes, and what is stable in rooms that others keep.

import { VersionVector } from '@ashlar/clock'
import { type Counts, dotOf, type Message } from './message.ts'

/** A file that keeps what it is given: both writes resolve once it is on disk. */
export interface JournalFile {
  /** '' if there is no such file. */
  read(): Promise<string>
  append(text: string): Promise<void>
  /** All or nothing. */
  replace(text: string): Promise<void>
}

interface Line {
  readonly self?: string
  readonly known?: Counts
  readonly stable?: Counts
  readonly message?: Message
}

export class Journal {
  /** The replica id of this node, a new one for a new journal: dots must never be reused. */
  readonly self: string
  /** What was delivered when the journal was opened, and what everybody had delivered. */
  readonly known: VersionVector
  readonly stable: VersionVector
  readonly messages: readonly Message[]
  readonly #file: JournalFile

  private constructor(file: JournalFile, lines: readonly Line[], newSelf: string) {
    const messages = lines.flatMap(({ message }) => message ?? [])
    const dots = messages.map((message) =>
      VersionVector.of([[message.from, dotOf(message).counter]]),
    )
    this.#file = file
    this.self = lines[0]?.self ?? newSelf
    this.known = dots.reduce((all, dot) => all.merge(dot), VersionVector.of(lines[0]?.known ?? {}))
    this.stable = VersionVector.of(lines.findLast(({ stable }) => stable)?.stable ?? {})
    this.messages = messages
  }

  /** Opens a journal; `keeps` says of which rooms it holds what everybody has delivered. */
  static async open(
    file: JournalFile,
    options: { readonly newSelf: string; readonly keeps: (room: string) => boolean },
  ): Promise<Journal> {
    const lines = linesOf(await file.read())
    const all = new Journal(file, lines, options.newSelf)
    const { self, known, stable } = all
    const kept = all.messages.filter((message) => {
      return options.keeps(message.room) || !stable.has(dotOf(message))
    })
    const compact: Line[] = [{ self, known: known.toJSON(), stable: stable.toJSON() }]
    for (const message of kept) compact.push({ message })
    await file.replace(compact.map(textOf).join(''))
    return new Journal(file, compact, self)
  }

  /** Resolves once the messages are on disk. */
  append(messages: readonly Message[], stable: VersionVector): Promise<void> {
    const lines: Line[] = [...messages.map((message) => ({ message })), { stable: stable.toJSON() }]
    return this.#file.append(lines.map(textOf).join(''))
  }
}

function textOf(line: Line): string {
  return `${JSON.stringify(line)}\n`
}

function linesOf(text: string): Line[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
