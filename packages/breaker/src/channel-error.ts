// The error of a channel. Its `code` is stable. Calls never see one: whatever fails between
// breakers goes to `onError`, and the breaker goes on with what it knows itself.

/** What a {@link ChannelError} can be about. */
export type ChannelErrorCode = 'CLOSED' | 'UNAVAILABLE' | 'TIMEOUT' | 'MESSAGE_TOO_LARGE'

/**
 * Something that breakers wanted of their channel, and did not get.
 *
 * | code | when |
 * |---|---|
 * | CLOSED | the channel was closed before |
 * | UNAVAILABLE | there is no connection now, or the server refused; `cause` says what it said |
 * | TIMEOUT | the answer took longer than `timeoutMs` |
 * | MESSAGE_TOO_LARGE | PostgreSQL takes messages of less than 8,000 bytes |
 *
 * @example
 * try {
 *   await channel.publish('hello', { signal })
 * } catch (error) {
 *   if (error instanceof ChannelError && error.code === 'UNAVAILABLE') console.log(error.cause)
 * }
 */
export class ChannelError extends Error {
  override readonly name: string = 'ChannelError'
  /** Stable name of what went wrong. */
  readonly code: ChannelErrorCode

  constructor(code: ChannelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
