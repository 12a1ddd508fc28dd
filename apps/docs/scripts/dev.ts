// `node tools/pnpm.mjs run docs:dev`: the site on loopback, pages reloading as they are written.
// The API reference is made once, if it is not there: `run docs` makes it anew.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'vitepress'
import { writeApi } from './api.ts'
import { site } from './house.ts'

if (!existsSync(join(site, 'api'))) await writeApi()
const server = await createServer(site)
await server.listen()
server.printUrls()
