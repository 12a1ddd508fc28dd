// Elements of the page: found by their id, or made; and whether one of them has the keyboard.

/** The element of this id, which index.html has. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`index.html has no element #${id}`)
  return element
}

/** A new element with attributes and children. */
export function make(
  name: string,
  attributes: Record<string, string>,
  ...children: (Node | string)[]
): HTMLElement {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

/** Whether the keyboard is nowhere, since what had the focus is gone or cannot be used any more. */
export function isFocusLost(): boolean {
  const { activeElement, body } = document
  // A browser takes the focus from what was disabled only when it paints next.
  return activeElement === null || activeElement === body || activeElement.matches(':disabled')
}
