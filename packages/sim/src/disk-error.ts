// What a simulated disk answers when a fault strikes: the code that Node's file functions use.

/**
 * A read or a write that a `diskRead` or `diskWrite` fault made fail.
 *
 * @example
 * try {
 *   await disk.sync('log')
 * } catch (error) {
 *   if (!(error instanceof DiskError)) throw error // else a fault of the plan: not acknowledged
 * }
 */
export class DiskError extends Error {
  override readonly name: string = 'DiskError'
  readonly code = 'EIO'
  /** 'append', 'write', 'truncate', 'sync' or 'read'. */
  readonly operation: string
  readonly file: string

  constructor(operation: string, file: string) {
    super(`EIO: simulated i/o error, ${operation} ${JSON.stringify(file)}`)
    this.operation = operation
    this.file = file
  }
}
