// Each package's own code, minified and compressed: dependencies are shared with the application
// and counted by whoever brings them, so they are left out here.

import { readdirSync, readFileSync } from 'node:fs'

/** Rooms that hold more than one tool; their READMEs say what each costs when it is taken alone. */
const LARGER = { cache: '20 KB', ring: '11.5 KB', shard: '24 KB', sim: '13 KB' }

export default readdirSync('packages').map((name) => {
  const { dependencies = {} } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
  return {
    name: `@ashlar/${name}`,
    path: `packages/${name}/dist/index.js`,
    import: '*',
    limit: LARGER[name] ?? '10 KB',
    ignore: Object.keys(dependencies),
  }
})
