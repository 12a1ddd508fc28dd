// What came before what: the transitive closure of session order and "reads from", as vectors.
//
//   line       the operations of a session that ended in ok, in order; each operation of unknown
//              outcome is a line of its own, after what its session had done
//   vector     of an operation: for each line, how many of its operations come before or are it
//
// Vectors are filled in along a topological order (Kahn); what is left over lies on a cycle.

import { leastFrom } from './bisection.ts'
import { groupBy } from './group-by.ts'
import type { Operation } from './operation.ts'

/** An operation of the order, and the write that it read from. */
export interface Step {
  readonly operation: Operation
  readonly from: Operation | undefined
}

interface Node {
  readonly operation: Operation
  readonly line: number
  /** Counted from 1. */
  readonly place: number
  /** What comes directly before it: in its session, and what it read from. */
  readonly before: Node[]
  /** What comes directly after it: in its session (the next, and those of unknown outcome). */
  readonly next: Node[]
  readonly readers: Node[]
  readonly vector: Int32Array
}

/** The causal order of some operations. */
export class CausalPast {
  /** Operations each before the next and the last before the first, if there are any. */
  readonly cycle: readonly Operation[] | undefined
  readonly #nodes = new Map<Operation, Node>()
  /** Of each key the writes on each line, in order. */
  readonly #writes: ReadonlyMap<string | undefined, ReadonlyMap<number, readonly Node[]>>

  /** `steps` in the order of their invocations. */
  constructor(steps: readonly Step[]) {
    this.#place(steps)
    const writes = [...this.#nodes.values()].filter(({ operation }) => operation.f === 'write')
    this.#writes = new Map(
      [...groupBy(writes, ({ operation }) => operation.key)].map(([key, among]) => {
        return [key, groupBy(among, ({ line }) => line)]
      }),
    )
    for (const { operation, from } of steps) {
      if (from === undefined) continue
      join(this.#nodes.get(from)!, this.#nodes.get(operation)!, 'readers')
    }
    const left = this.#fill()
    this.cycle = left.length === 0 ? undefined : shortestCycle(left)
  }

  /** Whether `a` comes before `b`. */
  isBefore(a: Operation, b: Operation): boolean {
    const { line, place } = this.#nodes.get(a)!
    return a !== b && this.#nodes.get(b)!.vector[line]! >= place
  }

  /** Of each line the last write of an operation's key that comes before the operation. */
  latestWrites(operation: Operation): Operation[] {
    const { vector } = this.#nodes.get(operation)!
    const latest: Operation[] = []
    for (const [line, writes] of this.#writes.get(operation.key) ?? []) {
      const known = vector[line]!
      const count = leastFrom(0, writes.length, (i) => writes[i]!.place > known)
      if (count > 0) latest.push(writes[count - 1]!.operation)
    }
    return latest
  }

  /** A shortest chain of operations from `a`, which comes before `b`, to `b`. */
  chain(a: Operation, b: Operation): Operation[] {
    return shortestChain(this.#nodes.get(a)!, this.#nodes.get(b)!)
  }

  /** Puts every operation on its line. */
  #place(steps: readonly Step[]): void {
    const lineOf = new Map<string, number>()
    for (const { operation } of steps) {
      if (!lineOf.has(operation.process)) lineOf.set(operation.process, lineOf.size)
    }
    let lines = lineOf.size
    const count = lines + steps.filter(({ operation }) => operation.outcome !== 'ok').length
    const last = new Map<string, Node>()
    for (const { operation } of steps) {
      const before = last.get(operation.process)
      const isOwn = operation.outcome !== 'ok'
      const line = isOwn ? lines++ : lineOf.get(operation.process)!
      const place = isOwn ? 1 : (before?.place ?? 0) + 1
      const links = { before: [], next: [], readers: [] }
      const node: Node = { operation, line, place, ...links, vector: new Int32Array(count) }
      this.#nodes.set(operation, node)
      if (before !== undefined) join(before, node, 'next')
      if (!isOwn) last.set(operation.process, node)
    }
  }

  /** Fills the vectors in; returns the nodes that cannot be ordered. */
  #fill(): Node[] {
    const waiting = new Map<Node, number>()
    for (const node of this.#nodes.values()) waiting.set(node, node.before.length)
    const ready = [...waiting].filter(([, count]) => count === 0).map(([node]) => node)
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      waiting.delete(node)
      for (const { vector } of node.before) {
        for (let i = 0; i < vector.length; i++) {
          if (vector[i]! > node.vector[i]!) node.vector[i] = vector[i]!
        }
      }
      node.vector[node.line] = node.place
      for (const next of [...node.next, ...node.readers]) {
        const count = waiting.get(next)! - 1
        waiting.set(next, count)
        if (count === 0) ready.push(next)
      }
    }
    return [...waiting.keys()]
  }
}

function join(before: Node, after: Node, how: 'next' | 'readers'): void {
  before[how].push(after)
  after.before.push(before)
}

/**
 * Breadth first, to where there is a way; a session goes any distance in one leap, since its order
 * is transitive.
 */
function shortestChain(from: Node, to: Node): Operation[] {
  const cameFrom = new Map<Node, Node>()
  const leapt = new Set<Node>()
  const queue = [from]
  for (let at = 0; !cameFrom.has(to); at++) {
    const node = queue[at]!
    const reached = [...node.readers, ...node.next]
    let later = nextOfSession(node)
    for (; later !== undefined && !leapt.has(later); later = nextOfSession(later)) {
      leapt.add(later)
      reached.push(...later.next)
    }
    for (const next of reached) {
      if (cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  return walkBack(cameFrom, from, to)
}

function nextOfSession({ line, next }: Node): Node | undefined {
  return next.find((node) => node.line === line)
}

function walkBack(cameFrom: ReadonlyMap<Node, Node>, from: Node, to: Node): Operation[] {
  const chain = [to.operation]
  let node = cameFrom.get(to)!
  for (; node !== from; node = cameFrom.get(node)!) chain.unshift(node.operation)
  return [from.operation, ...chain]
}

/** A cycle among nodes of which each has another of them before it. */
function shortestCycle(nodes: readonly Node[]): Operation[] {
  const left = new Set(nodes)
  // Walking back never leaves what cannot be ordered, so it comes to a node for the second time.
  const walked = new Set<Node>()
  let node = nodes[0]!
  while (!walked.has(node)) {
    walked.add(node)
    node = node.before.find((each) => left.has(each))!
  }
  return shortestChain(node, node).slice(1)
}
