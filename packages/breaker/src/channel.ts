// The port through which breakers of several processes hear of each other. All that is asked of a
// channel is that it tries: messages may be lost, doubled and overtaken, and everything may fail.
// Only what `tryHold` says must be true: at most one holder of a key at a time.

/** What brings the words of one shared breaker to the others, and lets one of them hold a key. */
export interface BreakerChannel {
  /**
   * Sends a message of at most 4,096 characters to all who subscribed, in every process. Rejects
   * if that cannot be done now: nothing is kept to be sent later, when it would be old.
   */
  publish(message: string, options: { readonly signal: AbortSignal }): Promise<unknown>
  /**
   * Tells a listener every message from now on, its own included, once there is a connection.
   *
   * @param onGap called whenever messages may have been missed: a connection was made again
   * @returns what to call to listen no more
   */
  subscribe(listener: (message: string) => void, onGap?: () => void): () => void
  /**
   * Holds a key for `ttlMs` milliseconds, unless somebody does; resolves with null then. A holder
   * that dies is forgotten after that time.
   */
  tryHold(key: string, ttlMs: number): Promise<ProbeHold | null>
}

/** A key that is held, for as long as was asked. */
export interface ProbeHold {
  /** Lets go of the key, unless it is somebody else's by now. */
  release(): Promise<unknown>
}
