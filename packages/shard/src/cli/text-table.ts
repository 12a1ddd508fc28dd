// A table for a person: columns as wide as they must be, numbers to the right.

/** Lines of a table, ending in a newline; cells are text, or numbers to be set right. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = rows.map((row) => row.map(cellText))
  const widths = head.map((name, i) => {
    return Math.max(name.length, ...cells.map((row) => row[i]!.length))
  })
  const isRight = head.map((_, i) => rows.length > 0 && rows.every((row) => isNumeric(row[i]!)))
  const line = (row: readonly string[]) => {
    const padded = row.map((cell, i) => {
      return isRight[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    })
    return `${padded.join('  ').trimEnd()}\n`
  }
  return [head, ...cells].map(line).join('')
}

/** A number of bytes as people say it. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]!}`
}

/** The columns of a key, the salt of a part made visible. */
export function keyLabel(key: readonly string[]): string {
  return key.join(' · ').replaceAll('\u0001', ' #')
}

function cellText(cell: string | number): string {
  return typeof cell === 'string' ? cell : cell.toLocaleString('en-US')
}

function isNumeric(cell: string | number): boolean {
  return typeof cell === 'number' || cell === '-' || /^-?[\d.,]+( [kMGTP]?B)?%?$/u.test(cell)
}
