import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { CircuitBreaker, type RemoteTransition } from '../src/index.ts'
import { checkSharing, type Making, traces } from './share-laws.ts'

test.prop([traces], { numRuns: 300 })(
  'shared breakers converge when messages are lost, repeated and reordered, and are never open ' +
    'longer than the longest remaining time heard',
  (trace) => checkSharing(trace),
)

class AddsWhatItHears extends CircuitBreaker {
  override applyRemote(remote: RemoteTransition): boolean {
    const remainingMs = remote.remainingMs + this.remainingOpenMs
    return super.applyRemote({ ...remote, remainingMs })
  }
}

class BelievesTheLast extends CircuitBreaker {
  override applyRemote(remote: RemoteTransition): boolean {
    return super.applyRemote({ ...remote, generation: this.generation + 1 })
  }
}

class HearsOnlyOpenings extends CircuitBreaker {
  override applyRemote(remote: RemoteTransition): boolean {
    return remote.to === 'open' && super.applyRemote(remote)
  }
}

class IgnoresGenerations extends CircuitBreaker {
  override get generation(): number {
    return 1
  }
}

describe('the laws of sharing catch their broken twins:', () => {
  const twins: readonly [string, Making][] = [
    ['adds a remaining time to its own', { Breaker: AddsWhatItHears }],
    ['believes whatever it heard last', { Breaker: BelievesTheLast }],
    ['hears openings only', { Breaker: HearsOnlyOpenings }],
    ['says the same generation always', { Breaker: IgnoresGenerations }],
    ['says nothing twice', { minRepeatMs: 1e9 }],
  ]
  test.each(twins)('%s', async (_, making) => {
    const law = fc.asyncProperty(traces, (trace) => checkSharing(trace, making))
    const { failed } = await fc.check(law, { numRuns: 300, seed: 1, endOnFailure: true })
    expect(failed).toBe(true)
  })
})
