// A value as it reads in an error message: short, quoted where it is text, and never throwing.

/** Text for a message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clip(value))
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

function clip(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}
