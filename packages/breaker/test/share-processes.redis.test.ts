import { redisServer } from '@ashlar/testkit/redis'
import { withServer } from './channel-laws.ts'
import { sharedProcesses } from './share-processes.ts'

// Two clients at once: what one writes the other reads.
sharedProcesses(
  ['redis', 'ioredis'],
  withServer(() => redisServer()),
)
