/**
 * Every key of the page: what it does, and where. What is heard and what the list of keys (`?`) says come from here alone, and
 * `docs/operations.md` has the same; a test compares them.
 *
 * Which of them reach the page of a kiosk is said by `src-tauri/src/kiosk/keys.rs`: all that have no Ctrl.
 */
import { type Key, plain } from '../words/say'

/** Where a key means something. What lies above hears it first. */
export const PLACES = [
  'drill',
  'keys',
  'alarms',
  'reports',
  'history',
  'desk',
  'chart',
  'past',
  'panels',
  'demo',
  'pages',
  'wall',
] as const
export type Place = (typeof PLACES)[number]

interface Line {
  readonly id: string
  readonly place: Place
  /**
   * As the web calls them, in small letters, with `ctrl+` or `shift+` before them. A character has Shift in itself. None where
   * the web view moves by itself.
   */
  readonly strokes: readonly string[]
  /** What is written on them, or the key of the text where that is a word. What they do is the text `keys.does.ID`. */
  readonly shown: string
  /** Whether it is done again while they are held. */
  readonly repeats?: boolean
}

const ARROWS = ['arrowleft', 'arrowright', 'arrowup', 'arrowdown']
const ALONG = ['arrowleft', 'arrowright', 'shift+arrowleft', 'shift+arrowright']

export const KEYS = [
  { id: 'keys', place: 'wall', strokes: ['?'], shown: '?' },
  { id: 'history', place: 'wall', strokes: ['l'], shown: 'L' },
  { id: 'past', place: 'wall', strokes: ['b'], shown: 'B' },
  // A key pad has the second one.
  { id: 'alarms', place: 'wall', strokes: ['a', '*'], shown: 'A *' },
  { id: 'since', place: 'wall', strokes: ['h'], shown: 'H' },
  { id: 'report', place: 'wall', strokes: ['j'], shown: 'J' },
  { id: 'drill', place: 'wall', strokes: ['t'], shown: 'T' },
  {
    id: 'zoom',
    place: 'wall',
    strokes: ['ctrl++', 'ctrl+=', 'ctrl+-', 'ctrl+0'],
    shown: 'key.shown.ctrl',
    repeats: true,
  },
  {
    id: 'page-turn',
    place: 'pages',
    strokes: ['.', ',', 'pagedown', 'pageup'],
    shown: 'key.shown.pages',
  },
  {
    id: 'page-show',
    place: 'pages',
    strokes: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    shown: 'key.shown.one-to-nine',
  },
  { id: 'page-pin', place: 'pages', strokes: ['p'], shown: 'P' },
  {
    id: 'panel-next',
    place: 'panels',
    strokes: [],
    shown: 'Tab',
  },
  { id: 'panel-move', place: 'panels', strokes: ARROWS, shown: '← → ↑ ↓', repeats: true },
  { id: 'panel-end', place: 'panels', strokes: ['home', 'end'], shown: 'key.shown.home-end' },
  {
    id: 'panel-enter',
    place: 'panels',
    strokes: ['enter'],
    shown: 'Enter',
  },
  { id: 'panel-find', place: 'panels', strokes: ['/'], shown: '/' },
  { id: 'panel-leave', place: 'panels', strokes: ['escape'], shown: 'Esc' },
  {
    id: 'desk-move',
    place: 'desk',
    strokes: [...ARROWS, 'home', 'end', 'pageup', 'pagedown'],
    shown: 'key.shown.move-end',
    repeats: true,
  },
  { id: 'desk-open', place: 'desk', strokes: ['enter'], shown: 'Enter' },
  { id: 'desk-find', place: 'desk', strokes: ['/'], shown: '/' },
  { id: 'desk-sort', place: 'desk', strokes: ['s'], shown: 'S' },
  { id: 'desk-copy', place: 'desk', strokes: ['c', 'ctrl+c'], shown: 'C' },
  { id: 'desk-leave', place: 'desk', strokes: ['escape'], shown: 'Esc' },
  {
    id: 'chart-move',
    place: 'chart',
    strokes: ALONG,
    shown: '← →',
    repeats: true,
  },
  {
    id: 'chart-row',
    place: 'chart',
    strokes: ['arrowup', 'arrowdown'],
    shown: '↑ ↓',
    repeats: true,
  },
  {
    id: 'chart-zoom',
    place: 'chart',
    strokes: ['+', '=', '-'],
    shown: '+ −',
    repeats: true,
  },
  { id: 'chart-leave', place: 'chart', strokes: ['escape'], shown: 'Esc' },
  {
    id: 'past-step',
    place: 'past',
    strokes: ALONG,
    shown: '← →',
    repeats: true,
  },
  { id: 'past-play', place: 'past', strokes: [' '], shown: 'key.shown.space' },
  { id: 'past-play-back', place: 'past', strokes: ['r'], shown: 'R' },
  { id: 'past-pace', place: 'past', strokes: ['+', '=', '-'], shown: '+ −' },
  {
    id: 'past-loss',
    place: 'past',
    strokes: ['[', ']', 'pageup', 'pagedown'],
    shown: '[ ]',
  },
  { id: 'past-close', place: 'past', strokes: ['escape', 'b'], shown: 'Esc B' },
  {
    id: 'alarm-move',
    place: 'alarms',
    strokes: ['arrowup', 'arrowdown', '+', '=', '-', 'pageup', 'pagedown', 'home', 'end'],
    shown: 'key.shown.alarms',
    repeats: true,
  },
  { id: 'alarm-acknowledge', place: 'alarms', strokes: ['enter', 'k'], shown: 'Enter K' },
  {
    id: 'alarm-choose',
    place: 'alarms',
    strokes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    shown: 'key.shown.nought-to-nine',
  },
  { id: 'alarm-go', place: 'alarms', strokes: ['g'], shown: 'G' },
  { id: 'alarm-sort', place: 'alarms', strokes: ['s'], shown: 'S' },
  { id: 'alarm-filter', place: 'alarms', strokes: ['f'], shown: 'F' },
  { id: 'alarm-which', place: 'alarms', strokes: ['w'], shown: 'W' },
  { id: 'alarm-find', place: 'alarms', strokes: ['/'], shown: '/' },
  { id: 'alarm-name', place: 'alarms', strokes: ['n'], shown: 'N' },
  { id: 'alarm-next', place: 'alarms', strokes: ['*'], shown: '*' },
  { id: 'alarm-close', place: 'alarms', strokes: ['escape'], shown: 'Esc' },
  {
    id: 'report-move',
    place: 'reports',
    strokes: ['arrowup', 'arrowdown', '+', '=', '-', 'pageup', 'pagedown', 'home', 'end'],
    shown: 'key.shown.alarms',
    repeats: true,
  },
  { id: 'report-turn', place: 'reports', strokes: ['arrowleft', 'arrowright', '/'], shown: '← → /' },
  { id: 'report-go', place: 'reports', strokes: ['enter', 'g'], shown: 'Enter G' },
  { id: 'report-past', place: 'reports', strokes: ['b'], shown: 'B' },
  {
    id: 'report-choose',
    place: 'reports',
    strokes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    shown: 'key.shown.nought-to-nine',
  },
  { id: 'report-next', place: 'reports', strokes: ['*'], shown: '*' },
  { id: 'report-print', place: 'reports', strokes: ['p'], shown: 'P' },
  { id: 'report-close', place: 'reports', strokes: ['escape'], shown: 'Esc' },
  { id: 'history-compare', place: 'history', strokes: ['r'], shown: 'R' },
  { id: 'history-close', place: 'history', strokes: ['escape'], shown: 'Esc' },
  { id: 'drill-end', place: 'drill', strokes: ['escape'], shown: 'Esc' },
  { id: 'faults', place: 'demo', strokes: ['f'], shown: 'F' },
  { id: 'fault', place: 'demo', strokes: ['1', '2', '3', '4', '5'], shown: 'key.shown.one-to-five' },
  { id: 'demo-pause', place: 'demo', strokes: [' '], shown: 'key.shown.space' },
  { id: 'demo-pace', place: 'demo', strokes: ['+', '=', '-'], shown: '+ −' },
  { id: 'keys-close', place: 'keys', strokes: ['escape'], shown: 'Esc' },
] as const satisfies readonly Line[]

export type Gesture = (typeof KEYS)[number]['id']
export type KeyLine = Line & { readonly id: Gesture }
const LINES: readonly KeyLine[] = KEYS

/** What is written on the keys of a line. */
export function key_name({ shown }: Pick<Line, 'shown'>): string {
  return shown.startsWith('key.shown.') ? plain(shown as Key) : shown
}

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
