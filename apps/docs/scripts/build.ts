// `node tools/pnpm.mjs run docs`: the API reference, then the site, into .vitepress/dist. It fails
// where a docstring is missing or a link leads nowhere.

import { build } from 'vitepress'
import { writeApi } from './api.ts'
import { site } from './house.ts'

const isClean = await writeApi()
if (isClean || process.env.DOCS_DRAFT !== undefined) await build(site)
else process.exitCode = 1
