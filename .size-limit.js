// Each package's own code, minified and compressed: dependencies are shared with the application
// and counted by whoever brings them, so they are left out here.

import { readdirSync, readFileSync } from 'node:fs'

export default readdirSync('packages').map((name) => {
  const { dependencies = {} } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
  return {
    name: `@ashlar/${name}`,
    path: `packages/${name}/dist/index.js`,
    import: '*',
    limit: '10 KB',
    ignore: Object.keys(dependencies),
  }
})
