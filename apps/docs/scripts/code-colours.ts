// The colours of code, light and dark: few, from the palette of the house, and each dark or bright
// enough on the ground of a code block to be read (a contrast of at least 4.5).

import type { MarkdownOptions } from 'vitepress'

/** A theme of the highlighter, as VitePress takes it. */
type ThemeRegistration = Extract<
  Exclude<MarkdownOptions['theme'], string | undefined>,
  { name?: string }
>

interface Colours {
  readonly ink: string
  readonly ground: string
  readonly quiet: string
  readonly keyword: string
  readonly string: string
  readonly number: string
  readonly name: string
}

/** For light pages. */
export const light: ThemeRegistration = theme('ashlar-light', 'light', {
  ink: '#2a2722',
  ground: '#f1ebdf',
  quiet: '#665f53',
  keyword: '#8a4b1f',
  string: '#4a621c',
  number: '#2f5f8f',
  name: '#2a5a75',
})

/** For dark pages. */
export const dark: ThemeRegistration = theme('ashlar-dark', 'dark', {
  ink: '#ece7dc',
  ground: '#1d1f24',
  quiet: '#a39c8f',
  keyword: '#e2a878',
  string: '#aec97a',
  number: '#8dbbe8',
  name: '#9fc8dd',
})

function theme(name: string, type: 'light' | 'dark', colours: Colours): ThemeRegistration {
  const paint = (foreground: string, ...scope: string[]) => ({ scope, settings: { foreground } })
  return {
    name,
    type,
    colors: { 'editor.foreground': colours.ink, 'editor.background': colours.ground },
    tokenColors: [
      paint(colours.quiet, 'comment', 'punctuation.definition.comment'),
      paint(colours.keyword, 'keyword', 'storage', 'variable.language', 'entity.name.tag'),
      paint(colours.ink, 'keyword.operator', 'storage.type.function.arrow'),
      paint(colours.string, 'string', 'punctuation.definition.string'),
      paint(colours.number, 'constant', 'support.constant', 'constant.numeric'),
      paint(colours.name, 'entity.name.function', 'support.function', 'entity.name.type'),
    ],
  }
}
