/**
 * Every key of the page: what it does, and where. What is heard and what the list of keys (`?`) says come from here alone, and
 * `docs/operations.md` has the same; a test compares them.
 *
 * Which of them reach the page of a kiosk is said by `src-tauri/src/kiosk/keys.rs`: all that have no Ctrl.
 */

/** Where a key means something. What lies above hears it first. */
export const PLACES = ['drill', 'keys', 'history', 'desk', 'chart', 'past', 'panels', 'demo', 'pages', 'wall'] as const
export type Place = (typeof PLACES)[number]

export const PLACE_NAME: Record<Place, string> = {
  wall: 'Everywhere',
  panels: 'Panels',
  pages: 'Pages',
  chart: 'In a chart',
  desk: 'In a table, a list, tiles or a map',
  past: 'Looking back',
  history: 'In the list of lost links',
  drill: 'In a lamp test',
  demo: 'The demo',
  keys: 'In this list',
}

interface Line {
  readonly id: string
  readonly place: Place
  /**
   * As the web calls them, in small letters, with `ctrl+` or `shift+` before them. A character has Shift in itself. None where
   * the web view moves by itself.
   */
  readonly strokes: readonly string[]
  /** What is written on them. */
  readonly shown: string
  readonly does: string
  /** Whether it is done again while they are held. */
  readonly repeats?: boolean
}

const ARROWS = ['arrowleft', 'arrowright', 'arrowup', 'arrowdown']
const ALONG = ['arrowleft', 'arrowright', 'shift+arrowleft', 'shift+arrowright']

export const KEYS = [
  { id: 'keys', place: 'wall', strokes: ['?'], shown: '?', does: 'this list' },
  { id: 'history', place: 'wall', strokes: ['l'], shown: 'L', does: 'lost links' },
  { id: 'past', place: 'wall', strokes: ['b'], shown: 'B', does: 'look back' },
  { id: 'drill', place: 'wall', strokes: ['t'], shown: 'T', does: 'lamp test' },
  {
    id: 'zoom',
    place: 'wall',
    strokes: ['ctrl++', 'ctrl+=', 'ctrl+-', 'ctrl+0'],
    shown: 'Ctrl + − 0',
    does: 'larger, smaller, as it was',
    repeats: true,
  },
  {
    id: 'page-turn',
    place: 'pages',
    strokes: ['.', ',', 'pagedown', 'pageup'],
    shown: 'PgDn PgUp',
    does: 'the next page, the one before; so do . and ,',
  },
  {
    id: 'page-show',
    place: 'pages',
    strokes: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    shown: '1 to 9',
    does: 'this page',
  },
  { id: 'page-pin', place: 'pages', strokes: ['p'], shown: 'P', does: 'this page stays, or turns again' },
  {
    id: 'panel-next',
    place: 'panels',
    strokes: [],
    shown: 'Tab',
    does: 'the next panel or button, with Shift the one before',
  },
  { id: 'panel-move', place: 'panels', strokes: ARROWS, shown: '← → ↑ ↓', does: 'the panel beside', repeats: true },
  { id: 'panel-end', place: 'panels', strokes: ['home', 'end'], shown: 'Home End', does: 'the first, the last panel' },
  {
    id: 'panel-enter',
    place: 'panels',
    strokes: ['enter'],
    shown: 'Enter',
    does: 'into a chart, a table, a list, tiles, a map',
  },
  { id: 'panel-find', place: 'panels', strokes: ['/'], shown: '/', does: 'find rows in a table' },
  { id: 'panel-leave', place: 'panels', strokes: ['escape'], shown: 'Esc', does: 'out of the panels' },
  {
    id: 'desk-move',
    place: 'desk',
    strokes: [...ARROWS, 'home', 'end', 'pageup', 'pagedown'],
    shown: '← → ↑ ↓ End',
    does: 'the row or column beside; with PgDn a screen',
    repeats: true,
  },
  { id: 'desk-open', place: 'desk', strokes: ['enter'], shown: 'Enter', does: 'all of the row, with its event' },
  { id: 'desk-find', place: 'desk', strokes: ['/'], shown: '/', does: 'find rows by words' },
  { id: 'desk-sort', place: 'desk', strokes: ['s'], shown: 'S', does: 'sort by the column, turn it, as it was' },
  { id: 'desk-copy', place: 'desk', strokes: ['c', 'ctrl+c'], shown: 'C', does: 'copy the row' },
  { id: 'desk-leave', place: 'desk', strokes: ['escape'], shown: 'Esc', does: 'one thing back, then out of it' },
  {
    id: 'chart-move',
    place: 'chart',
    strokes: ALONG,
    shown: '← →',
    does: 'the value before, after; ten with Shift',
    repeats: true,
  },
  {
    id: 'chart-row',
    place: 'chart',
    strokes: ['arrowup', 'arrowdown'],
    shown: '↑ ↓',
    does: 'the row above, below, where it has rows',
    repeats: true,
  },
  {
    id: 'chart-zoom',
    place: 'chart',
    strokes: ['+', '=', '-'],
    shown: '+ −',
    does: 'less time, more time; so does dragging',
    repeats: true,
  },
  { id: 'chart-leave', place: 'chart', strokes: ['escape'], shown: 'Esc', does: 'all of its time, then out of it' },
  {
    id: 'past-step',
    place: 'past',
    strokes: ALONG,
    shown: '← →',
    does: '10 seconds; a minute with Shift',
    repeats: true,
  },
  { id: 'past-play', place: 'past', strokes: [' '], shown: 'Space', does: 'play or pause' },
  { id: 'past-play-back', place: 'past', strokes: ['r'], shown: 'R', does: 'play backwards' },
  { id: 'past-pace', place: 'past', strokes: ['+', '=', '-'], shown: '+ −', does: 'faster, slower' },
  {
    id: 'past-loss',
    place: 'past',
    strokes: ['[', ']', 'pageup', 'pagedown'],
    shown: '[ ]',
    does: 'the lost link before, after',
  },
  { id: 'past-close', place: 'past', strokes: ['escape', 'b'], shown: 'Esc B', does: 'back to the present' },
  { id: 'history-compare', place: 'history', strokes: ['r'], shown: 'R', does: 'compare with the server now' },
  { id: 'history-close', place: 'history', strokes: ['escape'], shown: 'Esc', does: 'close it' },
  { id: 'drill-end', place: 'drill', strokes: ['escape'], shown: 'Esc', does: 'end it' },
  { id: 'faults', place: 'demo', strokes: ['f'], shown: 'F', does: 'the panel of faults' },
  { id: 'fault', place: 'demo', strokes: ['1', '2', '3', '4', '5'], shown: '1 to 5', does: 'pull a fault, or mend it' },
  { id: 'demo-pause', place: 'demo', strokes: [' '], shown: 'Space', does: 'pause, go on' },
  { id: 'demo-pace', place: 'demo', strokes: ['+', '=', '-'], shown: '+ −', does: 'faster, slower' },
  { id: 'keys-close', place: 'keys', strokes: ['escape'], shown: 'Esc', does: 'close it' },
] as const satisfies readonly Line[]

export type Gesture = (typeof KEYS)[number]['id']
export type KeyLine = Line & { readonly id: Gesture }
const LINES: readonly KeyLine[] = KEYS

/** A key that went down, as the web tells it. */
export interface Stroke {
  readonly key: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
  readonly shiftKey: boolean
  readonly repeat: boolean
}

/** Its name as the table has it; null with what is never ours. */
export function stroke_name({ key, ctrlKey, altKey, metaKey, shiftKey }: Stroke): string | null {
  if (altKey || metaKey) return null
  const shift = shiftKey && key.length > 1 ? 'shift+' : ''
  return (ctrlKey ? 'ctrl+' : '') + shift + key.toLowerCase()
}

/** The lines that a key may mean, topmost place first: whoever hears it there may let it pass to the next. */
export function lines_of(stroke: Stroke): KeyLine[] {
  const name = stroke_name(stroke)
  if (name === null) return []
  return LINES.filter(({ strokes, repeats }) => strokes.includes(name) && (!stroke.repeat || repeats === true)).sort(
    (a, b) => PLACES.indexOf(a.place) - PLACES.indexOf(b.place),
  )
}

/** The list of keys, by place, of those lines that mean something now. */
export function key_groups(means: (line: KeyLine) => boolean): { place: Place; lines: KeyLine[] }[] {
  const places = [...new Set(LINES.map(({ place }) => place))]
  return places
    .map((place) => ({ place, lines: LINES.filter((line) => line.place === place && means(line)) }))
    .filter(({ lines }) => lines.length > 0)
}
