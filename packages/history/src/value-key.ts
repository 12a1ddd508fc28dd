// Equality of JSON values. Two values are the same when their keys are: numbers are their own key,
// everything else is its JSON with sorted field names, so that 1 and "1" differ and { a, b } and
// { b, a } do not. A value left out is null, as JSON has it.

/** A key for a Map or a Set: equal for equal JSON values, different for different ones. */
export function valueKey(value: unknown): string | number {
  return typeof value === 'number' ? value : canonical(value)
}

/** Whether two JSON values are equal. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || valueKey(a) === valueKey(b) || (Number.isNaN(a) && Number.isNaN(b))
}

function canonical(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object') return JSON.stringify(value) ?? typeof value
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`
}
