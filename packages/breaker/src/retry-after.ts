// The Retry-After field of HTTP, RFC 9110 section 10.2.3: seconds, or a date.

/** How many milliseconds from now it asks for; undefined if it says nothing that can be read. */
export function retryAfterMs(field: string | null | undefined, nowMs: number): number | undefined {
  if (field === null || field === undefined) return undefined
  const text = field.trim()
  if (/^\d{1,12}$/u.test(text)) return Number(text) * 1000
  // A date has a comma or a month in letters; Date.parse alone would take '-5' for a year.
  if (!/^[A-Za-z]/u.test(text)) return undefined
  const ms = Date.parse(text) - nowMs
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
