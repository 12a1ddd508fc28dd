// What is done to a resharding job, and when: `20s` starts it at step 20, `70c` crashes its worker,
// `80x` crashes it as soon as slots are frozen.

import type { JobWish } from './reshard-world.ts'

/** What can be done. */
export type TapeKind = 'start' | 'crash' | 'xcrash' | 'hire' | 'load' | JobWish

/** One deed. */
export interface TapeEntry {
  readonly step: number
  readonly kind: TapeKind
  /** Operations a second, of a load. */
  readonly amount: number
}

const LETTERS: Readonly<Record<string, TapeKind>> = {
  s: 'start',
  c: 'crash',
  x: 'xcrash',
  h: 'hire',
  l: 'load',
  r: 'reverse',
  f: 'finish',
  a: 'abort',
}

/** Operations a second, as long as nobody says otherwise. */
const USUAL_LOAD = 200

/** The deeds, in order. */
export class JobTape {
  readonly entries: readonly TapeEntry[]

  constructor(entries: readonly TapeEntry[]) {
    this.entries = [...entries].sort((a, b) => a.step - b.step)
  }

  /** A job, a worker that dies copying, another that dies with slots frozen, and a third. */
  static opening(): JobTape {
    return JobTape.fromText('12s,44c,60h,100x,180h,300f')
  }

  /** Reads what {@link toText} wrote; the opening if there is nothing. */
  static fromText(text: string | undefined): JobTape {
    if (text === undefined) return JobTape.opening()
    const entries = text
      .split(',')
      .slice(0, 100)
      .flatMap((part): TapeEntry[] => {
        const [, step, letter, amount] = /^(\d{1,3})([scxhlrfa])(\d{0,3})$/u.exec(part) ?? []
        const kind = LETTERS[letter ?? '']
        return kind === undefined ? [] : [{ step: Number(step), kind, amount: Number(amount) }]
      })
    return new JobTape(entries)
  }

  toText(): string {
    return this.entries
      .map(({ step, kind, amount }) => `${step}${kind[0]}${kind === 'load' ? amount : ''}`)
      .join(',')
  }

  at(step: number): TapeEntry[] {
    return this.entries.filter((entry) => entry.step === step)
  }

  /** Operations a second at a step. */
  loadAt(step: number): number {
    return (
      this.entries.findLast((one) => one.kind === 'load' && one.step <= step)?.amount ?? USUAL_LOAD
    )
  }

  /** With a deed more, and without what was to come after it. */
  with(entry: TapeEntry): JobTape {
    const before = this.entries.filter(({ step, kind }) => {
      return step < entry.step || (step === entry.step && kind !== entry.kind)
    })
    return new JobTape([...before, entry])
  }
}
