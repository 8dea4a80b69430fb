/**
 * MapLibre, as far as it is used: a ground that is seen straight from above and stands still, as the shipped one does, and nothing that it would write or
 * fetch of its own.
 */
import type { GeoProjection } from 'd3-geo'
import { addProtocol, Map as MapLibre, setWorkerCount, setWorkerUrl } from 'maplibre-gl'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import './ground.css'
import type { Tileset } from './source'
import { type Dress, type Ground as Style, PROTOCOL, style_of } from './style'
import type { Place } from './tiles'
import { projection_of, type View, view_of } from './view'

/** A file whose tiles fail one after the other is damaged. */
const FAILED_MAX = 3
/** From a disk that doesn't answer nothing is waited for any longer. */
const PAINTED_WITHIN_MS = 60_000
const ZOOM_MIN = -2
/** Beyond what a file has, its last tiles are drawn larger. */
const ZOOM_BEYOND = 8

/** Where degrees lie in a picture of `width` × `height` pixels that covers the ground. */
export type Standing = (width: number, height: number) => GeoProjection

export interface Heard {
  /** Also whenever it has another size. */
  readonly painted: (by: Standing) => void
  readonly lost: () => void
  readonly failed: (error: Error) => void
}

/** A file of tiles in use, and how many tiles it has given. */
interface Use {
  readonly set: Tileset
  tiles: number
}

const uses = new Map<string, Use>()
let count = 0
let is_ready = false

function make_ready(): void {
  if (is_ready) return
  is_ready = true
  setWorkerUrl(new URL(worker, location.href).href)
  setWorkerCount(1)
  addProtocol(PROTOCOL, async ({ url }, abort) => {
    const [address = '', z, x, y] = url.slice(PROTOCOL.length + 3).split('/')
    const use = uses.get(address)
    const tile = await use?.set.file.getZxy(Number(z), Number(x), Number(y), abort.signal)
    if (use !== undefined && tile !== undefined && tile.data.byteLength > 0) use.tiles += 1
    // Where a file has no tile there is nothing to draw.
    return { data: tile?.data ?? new ArrayBuffer(0) }
  })
}

export class Ground {
  readonly #map: MapLibre
  readonly #address: string
  readonly #place: Place
  readonly #style: Style
  readonly #heard: Heard
  readonly #late: ReturnType<typeof setTimeout>
  #view: View
  #dress: Dress
  #is_styled = false
  #painted = false
  #failed = 0
  #over = false

  constructor(place: Place, set: Tileset, dress: Dress, heard: Heard) {
    make_ready()
    const { element } = place
    count += 1
    this.#address = String(count)
    this.#place = place
    this.#dress = dress
    this.#heard = heard
    const { minZoom, maxZoom, minLon, minLat, maxLon, maxLat } = set.header
    this.#style = {
      address: this.#address,
      is_raster: set.is_raster,
      layers: set.layers,
      min_zoom: minZoom,
      max_zoom: maxZoom,
      bounds: [minLon, minLat, maxLon, maxLat],
    }
    this.#view = this.#home()
    this.#map = new MapLibre({
      container: element,
      style: style_of(this.#style, dress),
      ...camera(this.#view),
      minZoom: ZOOM_MIN,
      maxZoom: maxZoom + ZOOM_BEYOND,
      // Where the board's bounds lie is the board's matter.
      transformConstrain: (center, zoom) => ({ center, zoom: zoom ?? this.#view.zoom }),
      attributionControl: false,
      interactive: false,
      fadeDuration: 0,
      trackResize: false,
      refreshExpiredTiles: false,
      canvasContextAttributes: { contextType: 'webgl2', failIfMajorPerformanceCaveat: false, antialias: true },
      pixelRatio: devicePixelRatio,
    })
    // One that can't be made leaves nothing behind.
    uses.set(this.#address, { set, tiles: 0 })
    this.#late = setTimeout(() => {
      this.#give_up(`its tiles didn't come within ${String(PAINTED_WITHIN_MS / 1000)} s`)
    }, PAINTED_WITHIN_MS)
    this.#map.on('style.load', () => {
      if (this.#is_styled) return
      this.#is_styled = true
      if (this.#dress !== dress) this.dress(this.#dress)
    })
    this.#map.on('idle', () => {
      this.#paint()
    })
    this.#map.on('error', ({ error }) => {
      this.#failed += 1
      if (!this.#painted || this.#failed >= FAILED_MAX)
        this.#give_up(`it holds a tile that can't be drawn: ${error.message}`)
    })
    this.#map.on('webglcontextlost', () => {
      // Which it also is when it is given back.
      if (this.#over) return
      this.#painted = false
      element.classList.remove('painted')
      heard.lost()
    })
  }

  /** To be called when its element has another size. */
  resize(): void {
    this.#view = this.#home()
    if (this.#map.getPixelRatio() !== devicePixelRatio) this.#map.setPixelRatio(devicePixelRatio)
    this.#map.resize()
    this.#map.jumpTo(camera(this.#view))
    if (this.#painted) this.#heard.painted(this.#standing())
  }

  /** To be called when it is to look otherwise. */
  dress(dress: Dress): void {
    this.#dress = dress
    // One that isn't loaded yet would be begun anew.
    if (this.#is_styled) this.#map.setStyle(style_of(this.#style, dress), { diff: true })
  }

  destroy(): void {
    this.#over = true
    clearTimeout(this.#late)
    uses.delete(this.#address)
    this.#place.element.classList.remove('painted')
    this.#map.remove()
  }

  #give_up(reason: string): void {
    if (this.#over) return
    this.#over = true
    // MapLibre may be in the middle of its own work.
    setTimeout(() => {
      this.#heard.failed(new Error(reason))
    })
  }

  #home(): View {
    const { element, bounds } = this.#place
    return view_of(bounds, Math.max(1, element.clientWidth), Math.max(1, element.clientHeight))
  }

  #paint(): void {
    this.#failed = 0
    if (this.#painted || this.#over) return
    clearTimeout(this.#late)
    if (uses.get(this.#address)?.tiles === 0) {
      this.#give_up('it has no tiles of where this map is')
      return
    }
    this.#painted = true
    this.#place.element.classList.add('painted')
    this.#heard.painted(this.#standing())
  }

  /** Where MapLibre draws what: it is asked, since it may hold a view within bounds of its own. */
  #standing(): Standing {
    const { lng: lon, lat } = this.#map.getCenter()
    const view = { lon, lat, zoom: this.#map.getZoom() }
    return (width, height) => projection_of(view, width, height, devicePixelRatio)
  }
}

function camera({ lon, lat, zoom }: View): { center: [number, number]; zoom: number } {
  return { center: [lon, lat], zoom }
}
