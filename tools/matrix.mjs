// Counts of programs that ran and programs tried, package by package and runtime by runtime.

/** The table that a rehearsal prints. */
export class Matrix {
  #names
  #columns = new Map()

  constructor(names) {
    this.#names = names
  }

  count(name, column, isRight) {
    const cells = this.#columns.get(column) ?? new Map()
    this.#columns.set(column, cells)
    const { right = 0, tried = 0 } = cells.get(name) ?? {}
    cells.set(name, { right: right + (isRight ? 1 : 0), tried: tried + 1 })
  }

  /** As Markdown: a cell says how many runs of how many went well, over all installers. */
  table() {
    const columns = [...this.#columns.keys()]
    const rows = this.#names.map((name) => {
      const cells = columns.map((column) => this.#cell(name, column))
      return `| @ashlar/${name} | ${cells.join(' | ')} |`
    })
    const head = `| package | ${columns.join(' | ')} |`
    return [head, `| --- |${' ---: |'.repeat(columns.length)}`, ...rows].join('\n')
  }

  #cell(name, column) {
    const cell = this.#columns.get(column)?.get(name)
    return cell === undefined ? '–' : `${cell.right}/${cell.tried}`
  }
}
