// What `npm start` runs.

import { runAtlas } from './atlas.ts'

process.exitCode = await runAtlas(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  monotonic: () => performance.now(),
  now: () => Date.now(),
  signals: process,
})
