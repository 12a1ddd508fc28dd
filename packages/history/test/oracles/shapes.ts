// Every way in which operations can overlap: sequences of begin and end in which operations are
// numbered by their beginning. A shape with `info` holds operations that never end.

/** Whether a number begins (0 and up) or ends (`~number`, below 0), in order of time. */
export type Shape = readonly number[]

/** Every shape of exactly `count` operations; those of `open` never end. */
export function shapesOf(count: number, open: ReadonlySet<number>): Shape[] {
  const shapes: Shape[] = []
  const extend = (shape: number[], begun: number, running: readonly number[]): void => {
    if (begun === count && running.length === 0) shapes.push(shape)
    if (begun < count) {
      extend([...shape, begun], begun + 1, open.has(begun) ? running : [...running, begun])
    }
    for (const number of running) {
      const left = running.filter((other) => other !== number)
      extend([...shape, ~number], begun, left)
    }
  }
  extend([], 0, [])
  return shapes
}

/** Every subset of 0 … count-1. */
export function subsetsOf(count: number): ReadonlySet<number>[] {
  return Array.from({ length: 2 ** count }, (_, bits) => {
    return new Set(Array.from({ length: count }, (_, i) => i).filter((i) => (bits >> i) & 1))
  })
}
