/**
 * One page over several monitors. Its grid lies over the whole picture, and is cut where one monitor ends and the next begins: along lines that
 * cut no panel if there are any, so each panel stands on one monitor. What lies behind the bezels belongs to nobody. A panel that
 * lies across all the same has its frame over all its monitors, and what it says on the one that has most of it. A map is drawn whole: what
 * is behind the bezels is left out of it, and nothing of it moves.
 */
import type { Place, SpanView } from '../generated/frame'
import { arrange } from './arrange'
import { grid_ratio, rem_px } from './glass'
import type { Extent, Layout } from './layout'

/** What it costs to cut a panel, and to cut all of the page's room. In squared logarithms of how much wider or narrower things are made. */
const CUT = 0.5
const CUT_ALL = 2
/** Letters of a picture on many monitors are at most so many times larger than those of one: its head must have room on one. */
const LETTERS_MAX = 1.5
/** The head line needs so much, in rem: what it has on a screen that is turned. */
const WIDTH_MIN = 108
/** What the head line takes, landscape and portrait, and the line that takes its place on monitors below others, in rem. As the style sheet. */
const HEAD = { landscape: 8.4, portrait: 12.6, below: 4.4 } as const
/** The line of the board's pages with the gap above it, in rem. As the style sheet. */
const PAGES = 4.8

/** Where a line stands: on which monitor, counted from 0, and at which share of its room. */
interface Spot {
  readonly monitor: number
  readonly share: number
}

/** A panel that lies across a bezel. */
export interface Across {
  readonly id: string
  /** From the left edge to the right one. */
  readonly left: Spot
  readonly right: Spot
  readonly top: Spot
  readonly bottom: Spot
  /** What of it is on this monitor, in the part's own grid. */
  readonly piece: Place
  /** Whether it is drawn whole, a part of it on each. */
  readonly whole: boolean
}

/** What one monitor shows. */
export interface Part extends Layout {
  /** Frames of panels that lie across an edge of it. Their contents may stand elsewhere. */
  readonly across: readonly Across[]
}

/** A page, laid out over several monitors. */
export interface Spread {
  /** Row by row. */
  readonly parts: readonly Part[]
  /** Panels that lie across a bezel and whose content has a part of their room, in the page's order. */
  readonly across: readonly string[]
}

interface Stretch {
  readonly from: number
  readonly to: number
  /** Its share of the page's room. */
  readonly share: number
}

/** Where `count` lines are cut for so many monitors: as evenly as may be, and through as few panels. The outer lines are among them. */
export function cuts(panels: readonly Stretch[], count: number, monitors: number): number[] {
  const through = (line: number): number =>
    panels.filter(({ from, to }) => from < line && line < to).reduce((sum, { share }) => sum + CUT + CUT_ALL * share, 0)
  const uneven = (lines: number): number => Math.log((lines * monitors) / count) ** 2 / monitors
  /** For each line, what it costs that so many monitors end there, and where the one before does. */
  let ends: { cost: number; before: number }[][] = [[{ cost: 0, before: 0 }]]
  for (let monitor = 1; monitor <= monitors; monitor += 1) {
    const last = ends[monitor - 1] ?? []
    const own: { cost: number; before: number }[] = []
    for (let line = monitor; line <= count - (monitors - monitor); line += 1) {
      const cut = line === count ? 0 : through(line)
      let best = { cost: Infinity, before: 0 }
      last.forEach(({ cost }, before) => {
        if (before >= line) return
        const sum = cost + cut + uneven(line - before)
        if (sum < best.cost) best = { cost: sum, before }
      })
      own[line] = best
    }
    ends = [...ends, own]
  }
  const lines = [count]
  for (let monitor = monitors; monitor > 0; monitor -= 1) {
    lines.unshift(ends[monitor]?.[lines[0] ?? count]?.before ?? 0)
  }
  return lines
}

/** Which monitor has the cell at this line. */
function monitor_of(lines: readonly number[], cell: number): number {
  return Math.max(
    0,
    lines.findLastIndex((line) => line <= cell),
  )
}

/** Where something begins, or ends, among cut lines. */
function begins(lines: readonly number[], line: number): Spot {
  const monitor = monitor_of(lines, line)
  const [from, to] = [lines[monitor] ?? 0, lines[monitor + 1] ?? line + 1]
  return { monitor, share: (line - from) / (to - from) }
}

function ends(lines: readonly number[], line: number): Spot {
  const monitor = monitor_of(lines, line - 1)
  const [from, to] = [lines[monitor] ?? 0, lines[monitor + 1] ?? line]
  return { monitor, share: (line - from) / (to - from) }
}

/** How much of each monitor's room something takes, between two lines: by the monitor's number. */
function shares(
  lines: readonly number[],
  from: number,
  to: number,
): { monitor: number; from: number; to: number; share: number }[] {
  return lines.slice(1).flatMap((end, monitor) => {
    const begin = lines[monitor] ?? 0
    const [low, high] = [Math.max(from, begin), Math.min(to, end)]
    return low < high ? [{ monitor, from: low - begin, to: high - begin, share: (high - low) / (end - begin) }] : []
  })
}

/** Lays a page over so many monitors. `drawn_whole`: which panels that lie across bezels are to be. */
export function spread(
  { extent, places }: Layout,
  { columns, rows }: Extent,
  drawn_whole: (id: string) => boolean = () => false,
): Spread {
  // So that there is a line for each monitor however coarse the grid is.
  const count = { columns: extent.columns * columns, rows: extent.rows * rows }
  const boxes = [...places].map(([id, { column, row, width, height }]) => ({
    id,
    share: (width * height) / (extent.columns * extent.rows),
    across: { from: (column - 1) * columns, to: (column - 1 + width) * columns },
    down: { from: (row - 1) * rows, to: (row - 1 + height) * rows },
  }))
  const of = (way: 'across' | 'down'): Stretch[] => boxes.map((box) => ({ ...box[way], share: box.share }))
  const upright = cuts(of('across'), count.columns, columns)
  const level = cuts(of('down'), count.rows, rows)
  const parts = Array.from({ length: columns * rows }, (_, at) => {
    const [column, row] = [at % columns, Math.floor(at / columns)]
    return {
      extent: {
        columns: (upright[column + 1] ?? 0) - (upright[column] ?? 0),
        rows: (level[row + 1] ?? 0) - (level[row] ?? 0),
      },
      places: new Map<string, Place>(),
      across: [] as Across[],
    }
  })
  const across: string[] = []
  for (const { id, across: wide, down: high } of boxes) {
    const pieces = shares(level, high.from, high.to).flatMap((down) =>
      shares(upright, wide.from, wide.to).map((own) => ({
        part: parts[down.monitor * columns + own.monitor],
        place: { column: own.from + 1, row: down.from + 1, width: own.to - own.from, height: down.to - down.from },
        share: own.share * down.share,
      })),
    )
    const largest = pieces.reduce((best, one) => (one.share > best.share ? one : best), pieces[0] ?? { share: 0 })
    if ('part' in largest) largest.part?.places.set(id, largest.place)
    if (pieces.length < 2) continue
    const whole = drawn_whole(id)
    if (!whole) across.push(id)
    const [left, right] = [begins(upright, wide.from), ends(upright, wide.to)]
    const [top, bottom] = [begins(level, high.from), ends(level, high.to)]
    for (const { part, place: piece } of pieces) {
      part?.across.push({ id, left, right, top, bottom, piece, whole })
      if (whole) part?.places.set(id, piece)
    }
  }
  return { parts, across }
}

interface Size {
  readonly width: number
  readonly height: number
}

/** What a window has of a page: all of it, arranged for its shape, or its part of a picture. And which panels lie across a bezel. */
export function on_glass(
  page: Layout,
  span: SpanView | null,
  window: Size,
  drawn_whole: (id: string) => boolean,
): Part & { readonly cut: readonly string[] } {
  const { parts, across: cut } = span === null ? { parts: [], across: [] } : spread(page, span, drawn_whole)
  const part = span === null ? undefined : parts[span.row * span.columns + span.column]
  if (part !== undefined) return { ...part, cut }
  return { ...arrange(page, grid_ratio(window.width, window.height)), across: [], cut: [] }
}

/** The whole picture, of which this window has a part, in the window's pixels: all that is seen, and what lies behind the bezels. */
export function whole_px({ columns, rows, monitor_px, hidden_px }: SpanView, window: Size): Size {
  const across = window.width * (columns + ((columns - 1) * hidden_px[0]) / monitor_px[0])
  return { width: across, height: window.height * (rows + ((rows - 1) * hidden_px[1]) / monitor_px[1]) }
}

/** How many times larger letters are than those of a page that has this window to itself. */
export function letters(span: SpanView, window: Size): number {
  const whole = whole_px(span, window)
  const rem = rem_px(window.width, window.height)
  const times = Math.min(rem_px(whole.width, whole.height) / rem, window.width / rem / WIDTH_MIN)
  return Math.min(LETTERS_MAX, Math.max(1, times))
}

/** Which of what stands once on a picture this window has: its title and history, the time, the board's pages. */
export function has(span: SpanView | null): {
  title: boolean
  clock: boolean
  head: boolean
  pages: boolean
  last_row: boolean
} {
  if (span === null) return { title: true, clock: true, head: true, pages: true, last_row: true }
  const { columns, rows, column, row } = span
  const [head, last_row] = [row === 0, row === rows - 1]
  return {
    ...{ head, last_row },
    title: head && column === 0,
    clock: head && column === columns - 1,
    pages: last_row && column === 0,
  }
}

/** Where a frame stands that lies across, against the grid's room in this window: as the style sheet says it. */
export function frame_style(
  frame: Across,
  span: SpanView,
  { portrait, paged }: { portrait: boolean; paged: boolean },
): string {
  const pitch = (at: 0 | 1): number => 100 * (1 + span.hidden_px[at] / span.monitor_px[at])
  const x = ({ monitor, share }: Spot): string =>
    `${String((monitor - span.column) * pitch(0))}vw + ${String(share)} * (100% + var(--gap))`
  const head = (row: number): number => (row > 0 ? HEAD.below : portrait ? HEAD.portrait : HEAD.landscape)
  const taken = (row: number): number => head(row) + (paged && row === span.rows - 1 ? PAGES : 0)
  const y = ({ monitor, share }: Spot): string => {
    // Rooms of other rows are higher or lower by what else stands there.
    const [top, more] = [head(monitor) - head(span.row), taken(span.row) - taken(monitor)]
    return `${String((monitor - span.row) * pitch(1))}vh + ${String(top)}rem + ${String(share)} * (100% + ${String(more)}rem + var(--gap))`
  }
  const { left, right, top, bottom } = frame
  return [
    `left: calc(${x(left)})`,
    `top: calc(${y(top)})`,
    `width: calc(${x(right)} - (${x(left)}) - var(--gap))`,
    `height: calc(${y(bottom)} - (${y(top)}) - var(--gap))`,
  ].join('; ')
}
