import { afterAll, describe, test } from 'vitest'
import { docExamples } from '../scripts/doc-examples.ts'
import { readPublicApi } from '../scripts/public-api.ts'
import { closeStages, needsRedis, runExample } from './doc-stage.ts'

const examples = docExamples(readPublicApi()).filter(needsRedis)

afterAll(() => closeStages(['breaker', 'redis']))

describe('the docstrings of what needs Redis', () => {
  test.for(examples.map((example, number) => ({ ...example, number })))(
    'show $title as it is',
    (example) => runExample(example, example.number),
  )
})
