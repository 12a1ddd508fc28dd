import { expect, test } from 'vitest'
import { requestOf } from '../src/cli/arguments.ts'

test('a command line that cannot be meant is refused with an error of its own name', () => {
  expect(() => requestOf(['fly'])).toThrow(
    expect.objectContaining({
      name: 'UsageError',
      message: 'the command must be check or draw, got fly; see ashlar-history --help',
    }),
  )
})
