/** A dispatcher's board for a hand: a table of a hundred thousand calls in groups, a log and tiles; and what a backend answers a hand. */
import type {
  BoardView,
  Cell,
  Detail,
  GroupValue,
  RowsFound,
  RowsQuery,
  RowValue,
  State,
  WidgetValue,
  WidgetView,
} from '../generated/frame'

export const DESK_ROWS = 100_000
const LIMIT = 40
const AREAS = ['Centre', 'Harbour', 'North', 'South', 'أحياء الشرق']
const NAMES = ['Cardiac arrest', 'Fall at home', 'Traffic accident, two cars', 'Chest pain', 'Transfer', 'כאבים בחזה']
const WORDS = ['open', 'en route', 'on scene', 'held', 'done'] as const
const MEANINGS: Record<(typeof WORDS)[number], State> = {
  open: 'alarm',
  'en route': 'normal',
  'on scene': 'normal',
  held: 'warning',
  done: 'muted',
}
/** Of each group so many rows. */
const GROUP_ROWS = DESK_ROWS / AREAS.length

export const DESK_BOARD: BoardView = {
  title: 'Calls',
  timezone: 'Europe/Zurich',
  theme: 'dark',
  columns: 12,
  rows: 8,
  widgets: [
    {
      id: 'calls',
      title: 'Calls',
      note: null,
      source: 'ops',
      place: { column: 1, row: 1, width: 8, height: 8 },
      look: {
        kind: 'table',
        limit: LIMIT,
        columns: [
          { title: 'Call', format: 'text', decimals: 0, width: 1 },
          { title: 'What', format: 'text', decimals: 0, width: 2.4 },
          { title: 'Came', format: 'ago', decimals: 0, width: 1 },
          {
            title: 'Minutes',
            format: 'number',
            decimals: 0,
            width: 0.8,
            bands: [
              { from: 8, to: 12, state: 'warning' },
              { from: 12, to: null, state: 'alarm' },
            ],
          },
          { title: 'Crew', format: 'bar', decimals: 1, width: 1.4, scale: [0, 1] },
          {
            title: 'State',
            format: 'state',
            decimals: 0,
            width: 1.2,
            icons: { open: 'phone', 'en route': 'truck', 'on scene': 'cross', held: 'pause' },
          },
        ],
      },
    },
    {
      id: 'lines',
      title: 'Radio',
      note: null,
      source: 'ops',
      place: { column: 9, row: 1, width: 4, height: 4 },
      look: { kind: 'log', limit: 20 },
    },
    {
      id: 'crews',
      title: 'Crews',
      note: null,
      source: 'ops',
      place: { column: 9, row: 5, width: 4, height: 4 },
      look: { kind: 'status' },
    },
  ],
}

const MINUTE_MS = 60_000

function row(at: number, now_ms: number): RowValue {
  const state = WORDS[(at * 7) % 5] ?? 'open'
  const minutes = (at * 13) % 17
  const cells: Cell[] = [
    { is: 'text', as: `C-${String(at).padStart(6, '0')}` },
    { is: 'text', as: NAMES[(at * 5) % NAMES.length] ?? '' },
    { is: 'time', as: Math.floor(now_ms / MINUTE_MS) * MINUTE_MS - minutes * MINUTE_MS },
    at % 23 === 11 ? { is: 'null' } : { is: 'number', as: minutes },
    at % 19 === 7 ? { is: 'missing' } : { is: 'number', as: ((at * 3) % 11) / 10 },
    { is: 'text', as: state },
  ]
  const band: State = minutes >= 12 ? 'alarm' : minutes >= 8 ? 'warning' : 'normal'
  const marks = cells[3]?.is === 'number' && band !== 'normal' ? [{ column: 3, state: band }] : []
  return { key: String(at), cells, state: MEANINGS[state], ...(marks.length === 0 ? {} : { marks }) }
}

function groups(from: number, count: number): GroupValue[] {
  const found: GroupValue[] = []
  for (let at = from; at < Math.min(DESK_ROWS, from + count); at += 1) {
    const group = Math.floor(at / GROUP_ROWS)
    const name = AREAS[group] ?? null
    const last = found.at(-1)
    if (last !== undefined && last.name === name) last.shown += 1
    else found.push({ name, total: GROUP_ROWS, state: group === 3 ? 'warning' : 'alarm', shown: 1 })
  }
  return found
}

export function desk_value(view: WidgetView, now_ms: number): WidgetValue {
  switch (view.look.kind) {
    case 'log':
      return {
        kind: 'log',
        whole: true,
        lines: Array.from({ length: 12 }, (_, at) => ({
          number: 12 - at,
          source_ms: now_ms - at * 2 * MINUTE_MS,
          text: `Crew ${String(at + 3)}: ${NAMES[at % NAMES.length] ?? ''}`,
          state: at === 1 ? ('alarm' as const) : ('normal' as const),
        })),
        total: 12,
      }
    case 'status':
      return {
        kind: 'status',
        tiles: Array.from({ length: 9 }, (_, at) => ({
          key: `crew-${String(at)}`,
          label: `Crew ${String(at + 1)}`,
          text: at === 4 ? 'out of service' : 'ready',
          state: at === 4 ? ('alarm' as const) : ('normal' as const),
          detail: null,
          since_ms: now_ms - at * MINUTE_MS,
        })),
      }
    default: {
      const rows = Array.from({ length: LIMIT }, (_, at) => row(at, now_ms))
      return {
        kind: 'table',
        whole: true,
        rows,
        removed: [],
        order: rows.map(({ key }) => key),
        total: DESK_ROWS,
        at_least: false,
        groups: groups(0, LIMIT),
        groups_total: AREAS.length,
      }
    }
  }
}

const text_of = ({ cells }: RowValue): string =>
  cells
    .map((cell) => ('as' in cell ? String(cell.as) : ''))
    .join('\n')
    .toLowerCase()

function less(a: RowValue, b: RowValue, column: number, descending: boolean): number {
  const [x, y] = [a.cells[column], b.cells[column]]
  const [p, q] = [x !== undefined && 'as' in x ? x.as : null, y !== undefined && 'as' in y ? y.as : null]
  if (p === null || q === null) return p === q ? 0 : p === null ? 1 : -1
  const order = p < q ? -1 : p > q ? 1 : 0
  return descending ? -order : order
}

/** As the backend answers a hand. */
export function desk_rows(query: RowsQuery, now_ms: number): RowsFound {
  const all = query.find === '' && query.sort === null
  const words = query.find.toLowerCase().split(/\s+/)
  let alarms_hidden = 0
  let warnings_hidden = 0
  let found: RowValue[] = []
  if (!all) {
    for (let at = 0; at < DESK_ROWS; at += 1) {
      const one = row(at, now_ms)
      const text = text_of(one)
      if (words.every((word) => text.includes(word))) found.push(one)
      else if (one.state === 'alarm') alarms_hidden += 1
      else if (one.state === 'warning') warnings_hidden += 1
    }
    const { sort } = query
    if (sort !== null) found = found.sort((a, b) => less(a, b, sort.column, sort.descending))
  }
  const matched = all ? DESK_ROWS : found.length
  const offset = Math.min(query.offset, matched)
  const count = Math.min(query.count, matched - offset)
  const at = all ? Number(query.key ?? '-1') : found.findIndex(({ key }) => key === query.key)
  return {
    revision: 1,
    offset,
    rows: all
      ? Array.from({ length: count }, (_, more) => row(offset + more, now_ms))
      : found.slice(offset, offset + count),
    matched,
    total: DESK_ROWS,
    at_least: false,
    at: at < 0 ? null : at,
    alarms_hidden,
    warnings_hidden,
    groups: all ? groups(offset, count) : [],
  }
}

export function desk_detail(widget: string, key: string, now_ms: number): Detail {
  const found = widget === 'calls' ? row(Number(key), now_ms) : null
  const kept = Number(key) % 10 !== 9
  return {
    revision: 1,
    row: found,
    source: 'Dispatch centre',
    event: kept
      ? {
          channel: 'calls',
          name: 'call.changed',
          id: `01J9Z${key}`,
          position: `k3x9:${key}`,
          time_ms: now_ms - 40_000,
          received_ms: now_ms - 39_700,
          text: JSON.stringify(
            { id: key, what: NAMES, שם: 'כאבים, "חזה"', at: [46.2044, 6.1432], units: null },
            null,
            2,
          ),
          bytes: 320,
          cut: false,
        }
      : null,
    lacks: kept ? null : 'no longer kept, or told by a state of the server',
  }
}
