// Aligned columns of text: a head, its rule, and rows. Widths count code points, which is right
// for the Latin names this app prints; a cell that is too long is cut with an ellipsis.

/** A column: `width` is the widest it may become, numbers are `right` aligned. */
export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
  readonly width?: number
}

const GAP = '  '

/** The lines of a table; the first two are the head and its rule. */
export function tableLines(columns: readonly Column[], rows: readonly string[][]): string[] {
  const cells = rows.map((row) => columns.map((column, i) => cut(row[i] ?? '', column.width)))
  const widths = columns.map((column, i) =>
    Math.max(length(column.head), ...cells.map((row) => length(row[i]!))),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => pad(cell, widths[i]!, columns[i]!.align))
      .join(GAP)
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join(GAP)
  return [line(columns.map((column) => column.head)), rule, ...cells.map(line)]
}

function pad(cell: string, width: number, align: Column['align']): string {
  const space = ' '.repeat(width - length(cell))
  return align === 'right' ? space + cell : cell + space
}

function cut(cell: string, width = Infinity): string {
  return length(cell) <= width ? cell : `${[...cell].slice(0, width - 1).join('')}…`
}

function length(text: string): number {
  return [...text].length
}
