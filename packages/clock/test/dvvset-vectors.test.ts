// The unit tests of dvvset.erl against ours. Its states may hold values without a dot ("anon"),
// which ours cannot: such values are left out, and what it does to make them is checked for the
// one difference there is, that a resolved value has a dot.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Dvv, jsonValues, VersionVector } from '../src/index.ts'

type Entry = readonly [string, number, (readonly unknown[])?]
type State = { readonly entries: readonly Entry[]; readonly anon: readonly unknown[] }
type Context = readonly [] | { readonly join: string }
type Source = { readonly new: readonly [Context, unknown] }
type Definition =
  | readonly [string, 'new', Context, unknown]
  | readonly [string, 'update1', string | Source, string]
  | readonly [string, 'update2', string | Source, string, string]
type Expectation = readonly [string, string, ...unknown[]]

interface Case {
  readonly name: string
  readonly given?: Readonly<Record<string, State>>
  readonly defs?: readonly Definition[]
  readonly expect: readonly Expectation[]
}

const file = new URL('./vectors/dvvset-eunit.json', import.meta.url)
const { tests } = JSON.parse(readFileSync(file, 'utf8')) as { tests: Case[] }
const values = jsonValues<unknown>()
const bytesOf = (state: Dvv<unknown>) => state.encode(values).join()

/** A state of theirs as bytes of ours, so that it comes in by the front door. */
function stateOf({ entries }: Pick<State, 'entries'>): Dvv<unknown> {
  const present = entries.filter(([, n]) => n > 0)
  const history = VersionVector.of(present.map(([id, n]) => [id, n] as const))
  const siblings = present.flatMap(([id, , list = []]) =>
    list.map((value, age) => {
      const body = new TextEncoder().encode(JSON.stringify(value))
      return [history.ids.indexOf(id), age, body.length, ...body]
    }),
  )
  const bytes = [0x20, ...history.encode().slice(1), siblings.length, ...siblings.flat()]
  return Dvv.decode(Uint8Array.from(bytes), values)
}

/** A value that a client is about to write, having read `context`. */
interface Draft {
  readonly context: VersionVector
  readonly value: unknown
}

class Run {
  readonly states = new Map<string, Dvv<unknown>>()
  readonly #drafts = new Map<string, Draft>()

  constructor({ given = {}, defs = [] }: Case) {
    for (const [name, state] of Object.entries(given)) this.states.set(name, stateOf(state))
    for (const definition of defs) this.#define(definition)
  }

  #define(definition: Definition): void {
    const [name, how] = definition
    if (how === 'new') {
      const [, , context, value] = definition
      this.#drafts.set(name, { context: this.#context(context), value })
    } else if (how === 'update1') {
      // Without a state of the server's its history is what the client has read.
      const { context, value } = this.#draft(definition[2])
      const server = stateOf({ entries: [...context.entries()] })
      this.states.set(name, server.put(value, context, definition[3]))
    } else {
      const { context, value } = this.#draft(definition[2])
      const server = this.states.get(definition[3])!
      this.states.set(name, server.put(value, context, definition[4]))
    }
  }

  #draft(source: string | Source): Draft {
    if (typeof source === 'string') return this.#drafts.get(source)!
    const [context, value] = source.new
    return { context: this.#context(context), value }
  }

  #context(context: Context): VersionVector {
    // An array as well has something called join.
    if (!('length' in context)) return this.states.get(context.join)!.context()
    return VersionVector.empty
  }

  contextOf(name: string): VersionVector {
    return this.states.get(name)?.context() ?? this.#drafts.get(name)!.context
  }
}

type Judge = (state: Dvv<unknown>, other: Dvv<unknown>, expected: unknown) => void

const judges: Readonly<Record<string, Judge>> = {
  clock: (state, _, expected) => {
    expect(bytesOf(state)).toBe(bytesOf(stateOf(expected as State)))
  },
  sync: (state, other, expected) => {
    expect(bytesOf(state.sync(other))).toBe(bytesOf(stateOf(expected as State)))
  },
  syncCommutes: (state, other) => {
    expect(bytesOf(state.sync(other))).toBe(bytesOf(other.sync(state)))
  },
  less: (state, other, expected) => {
    expect(state.compare(other) === 'before').toBe(expected)
  },
  equal: (state, other, expected) => {
    expect(state.compare(other) === 'equal').toBe(expected)
  },
  ids: (state, _, expected) => {
    // An id without events is no entry here.
    expect(state.context().ids).toEqual((expected as string[]).filter((id) => id !== 'b'))
  },
  mapDouble: (state, _, expected) => {
    const doubled = state.map((n) => Number(n) * 2)
    expect(bytesOf(doubled)).toBe(bytesOf(stateOf(expected as State)))
  },
}

function judge(run: Run, [what, name, ...rest]: Expectation): void {
  const expected = rest.at(-1)
  if (what === 'join') {
    expect([...run.contextOf(name).entries()]).toEqual(expected)
    return
  }
  judges[what]!(run.states.get(name)!, run.states.get(rest[0] as string)!, expected)
}

const UNDOTTED = /^(?:lww|last|reconcile|size$|valuesSorted$)/u

describe.each(tests)('dvvset: $name', (each) => {
  const checks = each.expect.filter(([what]) => !UNDOTTED.test(what))

  test(`holds what the reference holds: ${checks.length} checks`, () => {
    const run = new Run(each)
    for (const check of checks) judge(run, check)
  })
})

describe('the reference values without a dot', () => {
  const undotted = tests.flatMap((each) =>
    each.expect.flatMap(([what, name, expected]) => {
      const given = each.given?.[name]
      const isDotted = given !== undefined && given.anon.length === 0
      return UNDOTTED.test(what) && isDotted ? [{ what, given, expected }] : []
    }),
  )
  const choices: Record<string, (all: unknown[]) => number> = {
    lastMax: (all) => Math.max(...all.map(Number)),
    lwwMax: (all) => Math.max(...all.map(Number)),
    reconcileSum: (all) => all.reduce((sum: number, value) => sum + Number(value), 0),
    reconcileMin: (all) => Math.min(...all.map(Number)),
  }

  test.each(undotted)('$what makes the same value, with a dot', ({ what, given, expected }) => {
    const state = stateOf(given)
    const resolved = state.resolve(choices[what]!, 'a')
    const theirs = typeof expected === 'number' ? [expected] : valuesIn(expected as State)
    expect(resolved.values()).toEqual(theirs)
    expect(resolved.context().get('a')).toBe(state.context().get('a') + 1)
    expect(resolved.put('next', resolved.context(), 'a').values()).toEqual(['next'])
  })

  test('are met in four cases of states whose other values all have one', () => {
    expect(undotted.map(({ what }) => what)).toEqual([
      ...['lastMax', 'lwwMax', 'reconcileSum', 'reconcileMin'],
    ])
  })
})

function valuesIn({ entries, anon }: State): unknown[] {
  return [...entries.flatMap(([, , list = []]) => list), ...anon]
}
