// Each package's own code, minified and compressed: the whole of it, and each export taken alone,
// so that importing one policy does not bring the others. Dependencies are shared with the
// application and counted by whoever brings them, so they are left out here.

import { readdirSync, readFileSync } from 'node:fs'

/** Rooms that hold more than one tool; their READMEs say what each costs when it is taken alone. */
const LARGER = { cache: '20.1 KB', ring: '11.5 KB', shard: '24.1 KB', sim: '13 KB' }
/** Bytes, by package and export. */
const ALONE = JSON.parse(readFileSync('tools/export-budgets.json', 'utf8'))

const checks = await Promise.all(readdirSync('packages').map(checksOf))
export default checks.flat()

async function checksOf(name) {
  const path = `packages/${name}/dist/index.js`
  const { dependencies = {} } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
  const ignore = Object.keys(dependencies)
  const budgets = ALONE[name] ?? {}
  const found = Object.keys(await import(new URL(path, import.meta.url)))
  const differ = [...found, ...Object.keys(budgets)].filter(
    (one) => !found.includes(one) || budgets[one] === undefined,
  )
  if (differ.length > 0) {
    throw new Error(`tools/export-budgets.json and @ashlar/${name} differ in ${differ.join(', ')}`)
  }
  const whole = {
    name: `@ashlar/${name}`,
    path,
    import: '*',
    limit: LARGER[name] ?? '10 KB',
    ignore,
  }
  const alone = Object.entries(budgets).map(([one, bytes]) => {
    const what = `@ashlar/${name} { ${one} }`
    return { name: what, path, import: `{ ${one} }`, limit: `${bytes} B`, ignore }
  })
  return [whole, ...alone]
}
