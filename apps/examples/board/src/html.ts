// HTML as a template tag: what is put in is escaped, unless it is HTML made by the same tag. So a
// text can come to a page in one way only, and nothing has to be remembered.

/** A piece of HTML that is safe to put in another. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Makes HTML; attributes must be in double quotes. */
export function html(literals: TemplateStringsArray, ...pieces: readonly unknown[]): Html {
  return new Html(literals.map((text, i) => text + safe(pieces[i])).join(''))
}

function safe(piece: unknown): string {
  if (piece instanceof Html) return piece.text
  if (Array.isArray(piece)) return piece.map(safe).join('')
  return String(piece ?? '').replace(/[&<>"']/gu, (mark) => `&#${mark.codePointAt(0)};`)
}
