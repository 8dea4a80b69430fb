/**
 * The board's grid on a glass of another shape than the one it was made for. A board is laid out for 16:9; upright, or twice as wide, the same
 * cells would be towers or stripes. So the grid is taken apart along its own lines, and what stands side by side is put under each
 * other, or the other way round, as far as every panel comes nearest to the shape that its author gave it. Neighbours stay
 * neighbours, the order in which it is read stays, and each panel keeps its share of the glass.
 */
import type { Place } from '../generated/frame'
import type { Layout } from './layout'

/** What a board is made for: a 16:9 glass without its head line, width by height. */
const MADE_FOR = 1.95
/** Up to this mean of squared logarithms of how much its panels are wider or narrower a grid is left as it was made: 4:3 and 21:9 are. */
const LEFT_AS_IT_IS = 0.2
/** The grid that the result is given in: fine enough that no rounding is seen. */
const FINE = 10_000
/** Beyond so many parts only lines of as many are tried, and beyond so many levels none but the author's. */
const TRIED = 5
const LEVELS = 7
/** What lines of unlike counts cost: where it makes no difference, panels stand under each other. */
const RAGGED = 0.02

/** The room of a grid, in square rem, as core/glass.ts has it. */
const ROOM = 18_400
/** How wide a panel must be for the word and the age of a link that is lost, in rem, and what it costs to be narrower. */
const LEAST_WIDTH = 24
const NARROW = 10

interface Size {
  readonly width: number
  readonly height: number
}

interface Box extends Size {
  readonly x: number
  readonly y: number
}

/** How large a cell is, in rem: on the glass that the board was made for, and on this one. */
interface Glass {
  readonly made: Size
  readonly rem: Size
}

/** A part of the grid. */
interface Part {
  readonly box: Box
  /** Which panels, by number. */
  readonly panels: readonly number[]
  /** How it can be taken apart, as it was made first; none if it can't. */
  readonly ways: readonly Way[]
}

/** Parts in the order in which they are read. */
interface Way {
  readonly parts: readonly Part[]
  /** In how many lines they stand as they were made. */
  readonly lines: number
}

interface Laid {
  readonly cost: number
  readonly boxes: readonly (readonly [number, Box])[]
}

function box_of({ column, row, width, height }: Place): Box {
  return { x: column - 1, y: row - 1, width, height }
}

/** Where a line goes through all of the box and cuts no panel; its edges are among them. */
function cuts(panels: readonly Box[], box: Box, upright: boolean): number[] {
  const from = (one: Box): number => (upright ? one.x : one.y)
  const to = (one: Box): number => (upright ? one.x + one.width : one.y + one.height)
  const edges = new Set([from(box), ...panels.flatMap((one) => [from(one), to(one)]), to(box)])
  return [...edges].sort((a, b) => a - b).filter((edge) => panels.every((one) => to(one) <= edge || from(one) >= edge))
}

function within(one: Box, box: Box): boolean {
  return (
    one.x >= box.x &&
    one.y >= box.y &&
    one.x + one.width <= box.x + box.width &&
    one.y + one.height <= box.y + box.height
  )
}

function strips(box: Box, edges: readonly number[], upright: boolean): Box[] {
  return edges.slice(1).map((edge, at) => {
    const from = edges[at] ?? edge
    return upright ? { ...box, x: from, width: edge - from } : { ...box, y: from, height: edge - from }
  })
}

/** Takes a grid apart along the lines that go through all of it. */
function part(all: readonly Box[], panels: readonly number[], box: Box): Part {
  const [only, ...others] = panels
  // One that stands alone has all of its room.
  if (others.length === 0) return { box: all[only ?? -1] ?? box, panels, ways: [] }
  const own = panels.flatMap((at) => all[at] ?? [])
  const inside = (strip: Box): number[] => panels.filter((at) => within(all[at] ?? strip, strip))
  // Where nothing stands the others have the room.
  const used = (boxes: Box[]): Box[] => boxes.filter((one) => inside(one).length > 0)
  const lines = used(strips(box, cuts(own, box, false), false))
  const columns = used(strips(box, cuts(own, box, true), true))
  const cells = lines.flatMap((line) => columns.map(({ x, width }) => ({ ...line, x, width })))
  const way = (boxes: readonly Box[], count: number): Way[] =>
    boxes.length < 2 ? [] : [{ parts: boxes.map((one) => part(all, inside(one), one)), lines: count }]
  const even = lines.length > 1 && columns.length > 1 && used(cells).length === cells.length
  return {
    box,
    panels,
    ways: [...(even ? way(cells, lines.length) : []), ...way(lines, lines.length), ...way(columns, 1)],
  }
}

/** Ways to break `count` parts into lines: every one where they are few. */
function breaks(count: number, own: number): number[][] {
  const even = (lines: number): number[] =>
    Array.from({ length: lines }, (_, at) => Math.floor(((at + 1) * count) / lines) - Math.floor((at * count) / lines))
  const made = even(own)
  if (count > TRIED) return [made, ...Array.from({ length: count }, (_, at) => even(count - at).reverse())]
  const all = [made]
  for (let bits = 0; bits < 2 ** (count - 1); bits += 1) {
    const lines = [1]
    for (let at = 0; at < count - 1; at += 1) {
      if ((bits >> at) & 1) lines.push(1)
      else lines[lines.length - 1] = (lines.at(-1) ?? 0) + 1
    }
    all.push(lines)
  }
  return all
}

function share({ box }: Part): number {
  return box.width * box.height
}

function total(parts: readonly Part[]): number {
  return parts.reduce((sum, one) => sum + share(one), 0)
}

/** Panels that can't be parted stand as they did, wider or narrower. */
function as_it_is({ box, panels }: Part, all: readonly Box[], to: Box, { made, rem }: Glass): Laid {
  const [wider, higher] = [
    (to.width * rem.width) / (box.width * made.width),
    (to.height * rem.height) / (box.height * made.height),
  ]
  const change = Math.log(wider / higher) ** 2
  let cost = change * box.width * box.height
  const boxes = panels.map((at): readonly [number, Box] => {
    const one = all[at] ?? box
    const width = (one.width / box.width) * to.width
    const height = (one.height / box.height) * to.height
    // A panel that was made narrow is as good as it was.
    const least = Math.min(one.width * made.width, LEAST_WIDTH)
    cost += NARROW * Math.max(0, Math.log(least / (width * rem.width))) * one.width * one.height
    const x = to.x + ((one.x - box.x) / box.width) * to.width
    return [at, { x, y: to.y + ((one.y - box.y) / box.height) * to.height, width, height }]
  })
  return { cost, boxes }
}

/** The best way to lay a part into a box. */
function lay(one: Part, all: readonly Box[], to: Box, glass: Glass, level: number): Laid {
  let best: Laid | null = null
  for (const { parts, lines } of level < LEVELS ? one.ways : one.ways.slice(0, 1)) {
    const tried = breaks(parts.length, lines)
    for (const counts of level < LEVELS ? tried : tried.slice(0, 1)) {
      const laid = lay_lines(parts, counts, all, to, glass, level, best?.cost ?? Infinity)
      if (laid !== null) best = laid
    }
  }
  return best ?? as_it_is(one, all, to, glass)
}

/** So many parts in each line; null if that costs as much as what is known already. */
function lay_lines(
  parts: readonly Part[],
  counts: readonly number[],
  all: readonly Box[],
  to: Box,
  glass: Glass,
  level: number,
  less_than: number,
): Laid | null {
  const boxes: (readonly [number, Box])[] = []
  const sum = total(parts)
  let cost = new Set(counts).size > 1 ? RAGGED * sum : 0
  let y = to.y
  let next = 0
  for (const count of counts) {
    const line = parts.slice(next, next + count)
    next += count
    const height = (to.height * total(line)) / sum
    let x = to.x
    for (const piece of line) {
      const width = (to.width * share(piece)) / total(line)
      const laid = lay(piece, all, { x, y, width, height }, glass, level + 1)
      cost += laid.cost
      boxes.push(...laid.boxes)
      x += width
    }
    y += height
    if (cost >= less_than) return null
  }
  return { cost, boxes }
}

/** The same page on a glass whose grid is `ratio` times as wide as high. */
export function arrange(layout: Layout, ratio: number): Layout {
  const { extent, places } = layout
  if (places.size < 2 || Math.log(ratio / MADE_FOR) ** 2 <= LEFT_AS_IT_IS) return layout
  const all = [...places.values()].map(box_of)
  const grid = { x: 0, y: 0, width: extent.columns, height: extent.rows }
  // Whatever its shape, a glass has as much room.
  const cell = (of: number): Size => ({
    width: Math.sqrt(ROOM * of) / extent.columns,
    height: Math.sqrt(ROOM / of) / extent.rows,
  })
  const whole = part(all, [...all.keys()], grid)
  const found = new Map(lay(whole, all, grid, { made: cell(MADE_FOR), rem: cell(ratio) }, 0).boxes)
  const fine = (value: number, of: number): number => Math.round((value / of) * FINE)
  const place = (box: Box): Place => {
    const [left, top] = [fine(box.x, extent.columns), fine(box.y, extent.rows)]
    const width = fine(box.x + box.width, extent.columns) - left
    return { column: left + 1, row: top + 1, width, height: fine(box.y + box.height, extent.rows) - top }
  }
  const arranged = [...places.keys()].flatMap((id, at) => {
    const box = found.get(at) ?? all[at]
    return box === undefined ? [] : [[id, place(box)] as const]
  })
  return { extent: { columns: FINE, rows: FINE }, places: new Map(arranged) }
}
