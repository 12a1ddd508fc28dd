// Counts of programs that ran and programs tried, row by row and runtime by runtime.

/** A table that a rehearsal prints. */
export class Matrix {
  #head
  #rows
  #columns = new Map()

  /** `head` is what the rows are. */
  constructor(head, rows) {
    this.#head = head
    this.#rows = rows
  }

  count(row, column, isRight) {
    const cells = this.#columns.get(column) ?? new Map()
    this.#columns.set(column, cells)
    const { right = 0, tried = 0 } = cells.get(row) ?? {}
    cells.set(row, { right: right + (isRight ? 1 : 0), tried: tried + 1 })
  }

  /** As Markdown: a cell says how many programs of how many ran. */
  table() {
    const columns = [...this.#columns.keys()]
    const rows = this.#rows.map((row) => {
      const cells = columns.map((column) => this.#cell(row, column))
      return `| ${row} | ${cells.join(' | ')} |`
    })
    const head = `| ${this.#head} | ${columns.join(' | ')} |`
    return [head, `| --- |${' ---: |'.repeat(columns.length)}`, ...rows].join('\n')
  }

  #cell(row, column) {
    const cell = this.#columns.get(column)?.get(row)
    return cell === undefined ? '–' : `${cell.right}/${cell.tried}`
  }
}
