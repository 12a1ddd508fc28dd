// What a playground shows as one short text, `seed:7;nodes:basalt,granite*2`, and its place in the
// address of the page: `?ring=seed:7;…`, beside whatever else the address asks for. The text is
// written by hand and not by URLSearchParams, which would turn every `:` and `,` into escapes.

/** The fields of a state by name. */
export type Fields = ReadonlyMap<string, string>

/** Writes the fields in the order given. */
export function writeFields(fields: Readonly<Record<string, string | number>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}:${escapeText(String(value))}`)
    .join(';')
}

/** Reads what {@link writeFields} wrote; what is no field is left out. */
export function readFields(text: string): Fields {
  const fields = new Map<string, string>()
  for (const part of text.split(';')) {
    const at = part.indexOf(':')
    if (at > 0) fields.set(part.slice(0, at), unescapeText(part.slice(at + 1)))
  }
  return fields
}

/** A whole number of the state, or `otherwise` where there is none of the range. */
export function readInteger(
  fields: Fields,
  name: string,
  least: number,
  most: number,
  otherwise: number,
): number {
  const text = fields.get(name)
  const given = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isInteger(given) && given >= least && given <= most ? given : otherwise
}

/** One of a few words or numbers of the state, or the first of them. */
export function readChoice<T extends string | number>(
  fields: Fields,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const text = fields.get(name)
  return choices.find((choice) => String(choice) === text) ?? choices[0]
}

/** The text of one playground in a search string, or undefined. */
export function takeFromSearch(search: string, name: string): string | undefined {
  const own = entriesOf(search).find((entry) => entry.startsWith(`${name}=`))
  return own?.slice(name.length + 1)
}

/** The search string with the text of one playground put in place of what was there. */
export function putInSearch(search: string, name: string, text: string): string {
  const others = entriesOf(search).filter((entry) => !entry.startsWith(`${name}=`))
  return `?${[...others, `${name}=${text}`].join('&')}`
}

function entriesOf(search: string): string[] {
  return search
    .replace(/^\?/u, '')
    .split('&')
    .filter((entry) => entry !== '')
}

/** Leaves what an address may hold as it is, save what separates fields. */
function escapeText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/%(?:2C|40|2F)/gu, (code) =>
    decodeURIComponent(code),
  )
}

function unescapeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
