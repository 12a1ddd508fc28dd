// Who hears the messages of a channel over a server.

/** The subscribers of a channel over a server. */
export class ChannelListeners {
  readonly #subscribers = new Set<{
    readonly listener: (message: string) => void
    readonly onGap: (() => void) | undefined
  }>()

  add(listener: (message: string) => void, onGap?: () => void): () => void {
    const own = { listener, onGap }
    this.#subscribers.add(own)
    return () => void this.#subscribers.delete(own)
  }

  tell(message: string): void {
    for (const { listener } of [...this.#subscribers]) listener(message)
  }

  tellGap(): void {
    for (const { onGap } of [...this.#subscribers]) onGap?.()
  }

  clear(): void {
    this.#subscribers.clear()
  }
}
