// A journal's file on a real disk. A replacement is written beside it and renamed when whole.

import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { JournalFile } from './journal.ts'

export class DiskFile implements JournalFile {
  readonly #path: string
  #handle: FileHandle | undefined

  constructor(path: string) {
    this.#path = path
  }

  async read(): Promise<string> {
    try {
      return await readFile(this.#path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
      throw error
    }
  }

  async append(text: string): Promise<void> {
    this.#handle ??= await open(this.#path, 'a')
    await this.#handle.appendFile(text)
    await this.#handle.datasync()
  }

  async replace(text: string): Promise<void> {
    const folder = dirname(this.#path)
    await mkdir(folder, { recursive: true })
    const fresh = await open(`${this.#path}.new`, 'w')
    await fresh.writeFile(text)
    await fresh.sync()
    await fresh.close()
    await rename(`${this.#path}.new`, this.#path)
    const entry = await open(folder, 'r')
    await entry.sync()
    await entry.close()
  }
}
