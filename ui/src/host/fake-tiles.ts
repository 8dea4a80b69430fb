/** Files of tiles for the scripted host: those that a test lays down in `__tiles`. */
import type { Frame, Notice, WidgetView } from '../generated/frame'
import type { MapAsked } from '../widgets/tiles/choice'
import type { TilesFile, TilesHost } from '../widgets/tiles/host'

interface Laid {
  readonly version: string
  /** Base 64; none for a file that opens and can't be read. */
  readonly bytes: string
  readonly map?: MapAsked
  /** Why it can't be opened. */
  readonly fault?: string
}

const laid = (file: string): Laid | undefined =>
  (globalThis as { __tiles?: Record<string, Laid | undefined> }).__tiles?.[file]

function opened(file: string): Laid {
  const found = laid(file)
  if (found?.fault !== undefined) throw new Error(found.fault)
  if (found === undefined) throw new Error('there is no such file')
  return found
}

export const fake_tiles: TilesHost = {
  tiles_open: (file) =>
    Promise.resolve().then((): TilesFile => {
      const { version, map = 'tiles' } = opened(file)
      return { version, map, because: `the map is set to ${map}` }
    }),
  tiles_read: (file, version, offset, length) =>
    Promise.resolve().then(() => {
      const held = opened(file)
      if (held.version !== version) throw new Error('it is another file by now')
      const bytes = Uint8Array.from(atob(held.bytes), (character) => character.charCodeAt(0))
      return bytes.slice(offset, offset + length).buffer
    }),
  tiles_told: (file, widget, text, amiss) => {
    if (amiss) lacks.set(`${widget} ${file}`, `the map is drawn without ${file}: ${text}`)
    else lacks.delete(`${widget} ${file}`)
    return Promise.resolve()
  },
}

/** As the backend has them. */
const lacks = new Map<string, string>()

function notices(): Notice[] {
  const [text, ...detail] = new Set(lacks.values())
  return text === undefined ? [] : [{ id: 'tiles', state: 'warning', text, detail }]
}

/** The same frame, its largest map upon the tiles that the address names, and what is wrong with them. */
export function upon_tiles(frame: Frame): Frame {
  const tiles = new URLSearchParams(location.search).get('tiles')
  if (tiles === null) return frame
  const told = { ...frame, notices: [...frame.notices, ...notices()] }
  if (frame.board === null) return told
  const size = ({ look, place }: WidgetView): number => (look.kind === 'markers' ? place.width * place.height : 0)
  const [largest] = [...frame.board.widgets].sort((a, b) => size(b) - size(a))
  const widgets = frame.board.widgets.map((widget) =>
    widget === largest && widget.look.kind === 'markers' ? { ...widget, look: { ...widget.look, tiles } } : widget,
  )
  return { ...told, board: { ...frame.board, widgets } }
}
