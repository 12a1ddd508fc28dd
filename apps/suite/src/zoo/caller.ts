// Requests and replies over a network that loses, doubles and reorders messages: a request is sent
// again until it is answered or its time is up. So a server may get it more than once.

import type { Env } from '@ashlar/sim'

/** A request under way. */
interface Request<B> {
  readonly request: number
  readonly body: B
}

/** The answer to one request of a caller. */
interface Reply<A> {
  readonly reply: number
  readonly answer: A
}

const RESEND_MS = 40

/** Sends requests and takes in replies for one client. */
export class Caller<B, A> {
  readonly #env: Env
  readonly #waiting = new Map<number, (answer: A, from: string) => void>()
  #requests = 0

  constructor(env: Env) {
    this.#env = env
    env.onMessage<Reply<A>>(({ reply, answer }, from) => this.#waiting.get(reply)?.(answer, from))
  }

  /**
   * The answers of the first `quorum` of `servers`; fewer if the time is up before. Asks as many
   * as it needs, at random, and all of them when it has to ask again.
   */
  async ask(
    servers: readonly string[],
    body: B,
    { quorum, timeoutMs }: { readonly quorum: number; readonly timeoutMs: number },
  ): Promise<Map<string, A>> {
    const { timers, send } = this.#env
    const request = this.#requests++
    const answers = new Map<string, A>()
    return await new Promise((resolve) => {
      let resend: unknown
      const finish = () => {
        this.#waiting.delete(request)
        timers.clearTimeout(resend)
        timers.clearTimeout(deadline)
        resolve(answers)
      }
      const transmit = (to: readonly string[]) => {
        for (const server of to) {
          if (!answers.has(server)) send(server, { request, body } satisfies Request<B>)
        }
        resend = timers.setTimeout(() => transmit(servers), RESEND_MS)
      }
      const deadline = timers.setTimeout(finish, timeoutMs)
      this.#waiting.set(request, (answer, from) => {
        answers.set(from, answer)
        if (answers.size >= quorum) finish()
      })
      transmit(this.#some(servers, quorum))
    })
  }

  #some(servers: readonly string[], count: number): string[] {
    const rest = [...servers]
    return Array.from({ length: count }, () => {
      return rest.splice(Math.floor(this.#env.random() * rest.length), 1)[0]!
    })
  }
}

/** Answers requests with `serve`; undefined is no answer, and the caller asks again. */
export function answerRequests<B, A>(
  env: Env,
  serve: (body: B, from: string) => Promise<A | undefined> | A | undefined,
): void {
  env.onMessage<Request<B>>(async ({ request, body }, from) => {
    const answer = await serve(body, from)
    if (answer !== undefined) env.send(from, { reply: request, answer } satisfies Reply<A>)
  })
}
