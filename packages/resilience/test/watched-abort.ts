// A signal of a caller that tells how many listen to it: what a policy adds it must take away.

/** An AbortController whose signal counts its listeners. */
export class WatchedAbort {
  readonly #controller = new AbortController()
  readonly #listeners = new Map<unknown, boolean>()

  constructor() {
    const { signal } = this
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (
      type: string,
      listener: EventListenerOrEventListenerObject,
      options?: boolean | AddEventListenerOptions,
    ) => {
      this.#listeners.set(listener, typeof options === 'object' && options.once === true)
      add(type, listener, options)
    }
    signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
      this.#listeners.delete(listener)
      remove(type, listener)
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** How many listen; 0 once it has aborted and everyone has cleaned up. */
  get listeners(): number {
    return this.#listeners.size
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
    for (const [listener, isOnce] of this.#listeners) if (isOnce) this.#listeners.delete(listener)
  }
}
