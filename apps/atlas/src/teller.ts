// The voice of the story: headings, lines, tables, progress and promises, at most 80 columns wide.
//
// On a terminal it speaks in colour (unless NO_COLOR) and draws bars; elsewhere it prints plain
// lines and no control characters, so that a log stays readable.

import { type InspectColor, styleText } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import { whole } from './figure.ts'
import type { CheckedPromise } from './promise-ledger.ts'
import { type Column, tableLines } from './table.ts'

/** Where the story is printed; a terminal has `isTTY`. */
export type Stage = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** How far a long task is. */
export interface Progress {
  update(value: number, note: string): void
  stop(): void
}

/** Prints a story to one stream. */
export class Teller {
  readonly #out: Stage

  constructor(out: Stage) {
    this.#out = out
  }

  title(text: string): void {
    this.line(this.#style('bold', text))
  }

  chapter(number: number, title: string): void {
    this.line()
    this.line(this.#style(['bold', 'cyan'], `${number}. ${title}`))
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`)
  }

  /** A line that matters less. */
  aside(text: string): void {
    this.line(this.#style('dim', text))
  }

  table(columns: readonly Column[], rows: readonly string[][]): void {
    const [head, rule, ...lines] = tableLines(columns, rows)
    this.line(this.#style('bold', `  ${head}`))
    this.aside(`  ${rule}`)
    for (const line of lines) this.line(`  ${line}`)
  }

  promise({ name, isKept, finding }: CheckedPromise): void {
    if (isKept) this.line(`  ${this.#style('green', '✓')} ${name}`)
    else this.line(`  ${this.#style('red', `✗ ${name}`)}: ${finding}`)
  }

  verdict(text: string, isGood: boolean): void {
    this.line(this.#style(['bold', isGood ? 'green' : 'red'], text))
  }

  /** Starts to show the progress of a task of `total` steps. */
  progress(label: string, total: number): Progress {
    return this.#out.isTTY ? drawnProgress(this.#out, label, total) : this.#plain(label, total)
  }

  #plain(label: string, total: number): Progress {
    let quarter = 0
    return {
      update: (value, note) => {
        const reached = Math.floor((4 * value) / total)
        if (reached > quarter) this.line(`  ${label}: ${reached * 25} %, ${note}`)
        quarter = reached
      },
      stop: () => {},
    }
  }

  #style(format: InspectColor | InspectColor[], text: string): string {
    return styleText(format, text, { stream: this.#out })
  }
}

function drawnProgress(out: Stage, label: string, total: number): Progress {
  const bar = new SingleBar(
    { format: `  ${label} {bar} {percentage} %  {note}`, stream: out, barsize: 32, fps: 30 },
    Presets.shades_classic,
  )
  bar.start(total, 0, { note: whole(0) })
  return {
    update: (value, note) => bar.update(value, { note }),
    stop: () => bar.stop(),
  }
}
