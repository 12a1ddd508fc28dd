// What `npm start` runs: the server, until it is told to stop.

import { openApplication } from './application.ts'
import { settingsOf } from './settings.ts'

/** How long requests under way may take to end, once it is told to stop. */
const DRAIN_MS = 10_000

try {
  const application = await openApplication(settingsOf(process.env), (error) =>
    console.error(error),
  )
  console.log(`listening on ${application.url}`)
  const stop = async () => {
    setTimeout(() => process.exit(1), DRAIN_MS).unref()
    await application.close()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
