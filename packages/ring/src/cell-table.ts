// The cell table: the ring cut into 2^k equal cells, 6 to 12 to a point, each with the slot that
// owns it whole, or MIXED if a point lies in it:
//
//   points            a        b                   c
//   cells    | a | MIXED | b | MIXED | c | c | c | MIXED | a …
//
// so that about nine lookups in ten are one load. Cells are of 16 bits, since what counts is how
// much of the table stays in the processor's cache.

/** The cell of more than one owner: search instead. */
export const MIXED = 0xffff

/** Most slots that fit a cell beside {@link MIXED}. */
export const MAX_NARROW_SLOTS = 65_534

/** Larger tables than 8 MiB cost more in cache misses than they save. */
const MAX_CELLS = 2 ** 22

/** A table that always says to search: two cells, for a shift by 32 does not exist. */
export const NO_CELLS: Uint16Array = new Uint16Array(2).fill(MIXED)

/** Sorted points and the slots that own them, of which the first `count` are in use. */
export interface Arcs {
  readonly points: Uint32Array
  readonly owners: Uint16Array | Uint32Array
  readonly count: number
}

/** Is a table for so many points worth its memory? */
export function deservesCells(arcs: Arcs): boolean {
  const { owners, count } = arcs
  return count > 0 && owners instanceof Uint16Array && cellCountFor(count) <= MAX_CELLS
}

/** The table of these arcs. */
export function buildCells(arcs: Arcs): Uint16Array {
  const cells = new Uint16Array(cellCountFor(arcs.count))
  for (let i = 0; i < arcs.count; i++) fillArc(cells, arcs, i)
  return cells
}

/** Writes the arc that ends at point `i`: what lies between it and the point before is its. */
export function fillArc(cells: Uint16Array, arcs: Arcs, i: number): void {
  const { points, owners, count } = arcs
  const shift = Math.clz32(cells.length) + 1
  const owner = owners[i]!
  const end = points[i]! >>> shift
  let cell = 0
  if (i > 0) {
    cell = (points[i - 1]! >>> shift) + 1
  } else {
    cells.fill(owner, (points[count - 1]! >>> shift) + 1)
  }
  for (; cell < end; cell++) cells[cell] = owner
  cells[end] = MIXED
}

function cellCountFor(points: number): number {
  let cells = 2
  while (cells < points * 6) cells *= 2
  return cells
}
