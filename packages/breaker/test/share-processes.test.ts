import { postgresServer } from '@ashlar/testkit/postgres'
import { withServer } from './channel-laws.ts'
import { sharedProcesses } from './share-processes.ts'

sharedProcesses(
  ['postgres', 'postgres'],
  withServer(() => postgresServer()),
)
