// `<PackageTable />` in a page: the packages, what each is for and what it brings along, as HTML
// that is there before any script runs.

import { html } from './escape.ts'
import type { Room } from './house.ts'

/** The table of the packages; a name leads to the package's page under `base`. */
export function packageTable(rooms: readonly Room[], base: string): string {
  const rows = rooms.map(({ name, purpose, dependencies }) => {
    const link = `<a href="${base}packages/${name}.html"><code>@ashlar/${name}</code></a>`
    const needs = dependencies.map((each) => `<code>${html(each)}</code>`).join(' ') || 'nothing'
    return `<tr><td>${link}</td><td>${html(purpose)}</td><td>${needs}</td></tr>`
  })
  const head = '<tr><th>package</th><th>what it is for</th><th>needs</th></tr>'
  return table(head, rows)
}

function table(head: string, rows: readonly string[]): string {
  return `<div class="wide-table"><table class="packages" v-pre><thead>${head}</thead>
<tbody>${rows.join('\n')}</tbody></table></div>`
}
