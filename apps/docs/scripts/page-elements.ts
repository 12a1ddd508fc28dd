// A markdown-it plugin: `<Figures package="ring" />`, `<PackageTable />` and
// `<MissRatioCurve at="1000" />` become plain HTML while the page is built, so that none of them
// costs a script, and the search finds what is in them. A path of the repository in code
// (`packages/ring/test/ketama.test.ts`) must exist, and is a link if the repository has an address.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { figures, resultsOf } from './figures.ts'
import { repository, rooms, root } from './house.ts'
import { missRatioDrawing } from './miss-ratio-drawing.ts'
import { packageTable } from './package-table.ts'

const FIGURES = /<Figures package="(?<name>[a-z-]+)"(?: only="(?<only>[^"]*)")? \/>/gu
const PATH = /^(?:apps|packages|tools)\/[\w./-]+\.\w+$/u
const CURVE = /<MissRatioCurve at="(?<at>\d+)" \/>/gu
const PACKAGE_TABLE = /<PackageTable \/>/gu

/** Adds the elements to a renderer of a site under `base`. */
export function pageElements(markdown: MarkdownRenderer, base: string): void {
  markdown.core.ruler.push('page-elements', ({ tokens }) => {
    for (const token of tokens) {
      if (isHtml(token.type)) token.content = expanded(token.content, base)
    }
  })
  const { rules } = markdown.renderer
  const code = rules.code_inline!
  rules.code_inline = (tokens, at, ...rest) =>
    linked(tokens[at]!.content, code(tokens, at, ...rest))
}

/** @throws {Error} if the path leads nowhere. */
function linked(content: string, rendered: string): string {
  if (!PATH.test(content)) return rendered
  if (!existsSync(join(root, content))) throw new Error(`${content} is not in the repository`)
  return repository === '' ? rendered : `<a href="${repository}/${content}">${rendered}</a>`
}

/** VitePress puts a component that closes itself among the blocks as a token of inline HTML. */
function isHtml(type: string): boolean {
  return type === 'html_block' || type === 'html_inline'
}

function expanded(content: string, base: string): string {
  return content
    .replaceAll(FIGURES, (_, name: string, only?: string) => figures(resultsOf(name), only))
    .replaceAll(CURVE, (_, at: string) => missRatioDrawing(Number(at)))
    .replaceAll(PACKAGE_TABLE, () => packageTable(rooms(), base))
}
