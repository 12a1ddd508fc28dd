// What is run of each package after it was installed: every example of its README, and the smoke
// test of its main parts.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplesOf } from './examples.mjs'

/**
 * Writes the programs into a project.
 *
 * @returns {{ package: string, label: string, file: string, node?: string }[]} `node`: the least
 *   that it needs.
 */
export function programsOf(root, names, project) {
  return names.flatMap((name) => {
    const readme = join(root, 'packages', name, 'README.md')
    const examples = examplesOf(readme).map(({ code, line, node }) => ({
      package: name,
      label: `@ashlar/${name} README.md:${line}`,
      file: written(project, `example-${name}-${line}.mjs`, code),
      node,
    }))
    return [smokeOf(name, project), ...examples]
  })
}

function smokeOf(name, project) {
  const parts = readFileSync(new URL(`smoke/${name}.mjs`, import.meta.url), 'utf8')
  written(project, `parts-${name}.mjs`, parts)
  const program = `import test from './parts-${name}.mjs'
const wrong = (await test()).flatMap((isRight, i) => (isRight ? [] : [i]))
if (wrong.length > 0) throw new Error(\`wrong, counted from 0: \${wrong}\`)
`
  const file = written(project, `smoke-${name}.mjs`, program)
  return { package: name, label: `@ashlar/${name} smoke test`, file, node: undefined }
}

function written(folder, name, text) {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}
