// What `--model` can name: the objects whose linearizability is judged, and the other checkers.

import {
  casRegister,
  checkCausal,
  checkLedger,
  checkLinearizable,
  checkSessions,
  checkStaleness,
  checkUnique,
  counter,
  type HistoryEvent,
  lock,
  type Model,
  queue,
  register,
  set,
  ticket,
  type Verdict,
} from '../index.ts'
import type { CheckRequest } from './arguments.ts'

interface Checker {
  readonly about: string
  readonly check: (history: readonly HistoryEvent[], request: CheckRequest) => Verdict
}

/** The checkers by the name that `--model` takes. */
export function checkers(): ReadonlyMap<string, Checker> {
  return new Map<string, Checker>([
    object('register', 'read, write', ({ initial }) => register({ initial })),
    object('cas-register', 'read, write, cas [expected, next]', ({ initial }) => {
      return casRegister({ initial })
    }),
    object('counter', 'add, read', () => counter()),
    object('queue', 'enqueue, dequeue (null: empty)', () => queue()),
    object('lock', 'acquire, release', () => lock()),
    object('ticket', 'take', () => ticket()),
    object('set', 'add, remove, has, read', () => set()),
    ['unique', { about: 'no id given out twice', check: (history) => checkUnique(history) }],
    [
      'ledger',
      {
        about: 'insert against read or deliver: lost, duplicate, phantom, misplaced, reordered',
        check: (history) => checkLedger(history),
      },
    ],
    [
      'sessions',
      {
        about: 'read your writes, monotonic reads and writes, writes follow reads',
        check: (history, { initial }) => checkSessions(history, { initial }),
      },
    ],
    [
      'staleness',
      {
        about: 'reads return what was current within --bound-ms',
        check: (history, { initial, boundMs = 0 }) => checkStaleness(history, { initial, boundMs }),
      },
    ],
    [
      'causal',
      {
        about: 'no read against the order of sessions and of who read from whom',
        check: (history, { initial }) => checkCausal(history, { initial }),
      },
    ],
  ])
}

/** What `--help` prints. */
export function usage(): string {
  return `\
Judges a history of JSON lines: what clients invoked and what came of it.

  ashlar-history check FILE --model NAME [options]
  ashlar-history draw FILE

FILE is - for standard input. A line:
  {"id":1,"type":"invoke","process":"a","f":"write","key":"x","value":3,"time":0}
type is invoke, ok, fail (did not happen) or info (nobody knows); time is in milliseconds.

Models (linearizability, key by key) and other checkers:
${[...checkers()].map(([name, { about }]) => `  ${name.padEnd(14)}${about}`).join('\n')}

Options:
  --json           print the verdict as JSON
  --bound-ms N     staleness: how many milliseconds a read may look back
  --initial JSON   the value before the first write; default null
  --max-steps N    linearizability: steps per key before giving up; default 20000000

Exit code: 0 kept, 1 broken, 2 bad input, 3 gave up.
`
}

function object<S>(
  name: string,
  about: string,
  modelOf: (request: CheckRequest) => Model<S>,
): [string, Checker] {
  const check: Checker['check'] = (history, request) => {
    const { maxSteps } = request
    return checkLinearizable(history, modelOf(request), maxSteps === undefined ? {} : { maxSteps })
  }
  return [name, { about, check }]
}
