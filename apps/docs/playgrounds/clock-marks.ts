// What a visitor drew, and its short text: `2o` a write at Oslo in column 2, `2o!` one that had
// read nothing, `4o7r` a message from Oslo to Rome, `3t5.9` a broadcast with its two arrivals.

/** The replicas, in the order of their lines. */
export const REPLICAS = ['oslo', 'rome', 'tokyo'] as const

/** Columns of time. */
export const COLUMNS = 18

/** A write or a message. */
export type Mark = Write | Message

/** A value written at a replica. */
interface Write {
  readonly kind: 'write'
  readonly by: number
  readonly at: number
  /** Whether the writer had read nothing, so that what is there stays beside it. */
  readonly isBlind: boolean
}

/** All that a replica knows, sent to another. */
interface Message {
  readonly kind: 'message'
  readonly by: number
  readonly at: number
  readonly to: number
  readonly until: number
}

/** A message to both others: when it is sent, and when each of them has it. */
export interface Cast {
  readonly by: number
  readonly at: number
  readonly until: readonly [number, number]
}

export function writeMarks(marks: readonly Mark[]): string {
  return marks
    .map((mark) => {
      const own = `${mark.at}${letterOf(mark.by)}`
      if (mark.kind === 'write') return mark.isBlind ? `${own}!` : own
      return `${own}${mark.until}${letterOf(mark.to)}`
    })
    .join(',')
}

export function writeCasts(casts: readonly Cast[]): string {
  return casts.map(({ by, at, until }) => `${at}${letterOf(by)}${until.join('.')}`).join(',')
}

/** The marks of a text, undefined if it is none; two events of one place are not taken. */
export function readMarks(text: string | undefined): readonly Mark[] | undefined {
  if (text === undefined) return undefined
  const taken = new Set<string>()
  const marks: Mark[] = []
  for (const part of text.split(',').slice(0, 60)) {
    const found = /^(\d{1,2})([ort])(?:(!)|(\d{1,2})([ort]))?$/u.exec(part)
    if (found === null) continue
    const [, at, letter, blind, until, other] = found
    const by = 'ort'.indexOf(letter!)
    const own = { by, at: Number(at) }
    const mark: Mark =
      until === undefined
        ? { kind: 'write', ...own, isBlind: blind !== undefined }
        : { kind: 'message', ...own, to: 'ort'.indexOf(other!), until: Number(until) }
    if (isPossible(mark) && take(taken, placesOf(mark))) marks.push(mark)
  }
  return marks.sort((a, b) => a.at - b.at || a.by - b.by)
}

/** The broadcasts of a text, undefined if it is none. */
export function readCasts(text: string | undefined): readonly Cast[] | undefined {
  if (text === undefined) return undefined
  const taken = new Set<string>()
  const casts: Cast[] = []
  for (const part of text.split(',').slice(0, 30)) {
    const [, at, letter, first, second] = /^(\d{1,2})([ort])(\d{1,2})\.(\d{1,2})$/u.exec(part) ?? []
    if (at === undefined) continue
    const by = 'ort'.indexOf(letter!)
    const cast = { by, at: Number(at), until: [Number(first), Number(second)] } as const
    const [one, other] = [0, 1, 2].filter((replica) => replica !== by)
    const places = [`${by} ${cast.at}`, `${one} ${cast.until[0]}`, `${other} ${cast.until[1]}`]
    const isAfter = Math.min(...cast.until) > cast.at && Math.max(...cast.until) < COLUMNS
    if (isAfter && take(taken, places)) casts.push(cast)
  }
  return casts.sort((a, b) => a.at - b.at || a.by - b.by)
}

function letterOf(replica: number): string {
  return 'ort'[replica]!
}

function isPossible(mark: Mark): boolean {
  if (mark.at >= COLUMNS) return false
  return (
    mark.kind === 'write' || (mark.to !== mark.by && mark.until > mark.at && mark.until < COLUMNS)
  )
}

function placesOf(mark: Mark): string[] {
  const own = `${mark.by} ${mark.at}`
  return mark.kind === 'write' ? [own] : [own, `${mark.to} ${mark.until}`]
}

function take(taken: Set<string>, places: readonly string[]): boolean {
  if (places.some((place) => taken.has(place))) return false
  for (const place of places) taken.add(place)
  return true
}
