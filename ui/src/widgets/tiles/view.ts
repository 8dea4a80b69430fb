/** Web Mercator, for the ground and for what is drawn above it alike. */
import { geoMercator, type GeoProjection } from 'd3-geo'

/** MapLibre's world is so many pixels wide at zoom 0. */
const WORLD_PX = 512

export interface View {
  readonly lon: number
  readonly lat: number
  readonly zoom: number
}

type Bounds = readonly [west: number, south: number, east: number, north: number]

/** The view that shows the bounds, as large as fits. `width` and `height` are CSS pixels. */
export function view_of([west, south, east, north]: Bounds, width: number, height: number): View {
  const middle = (west + east) / 2
  const unit = geoMercator().scale(1).translate([0, 0]).rotate([-middle, 0])
  const y = (lat: number): number => unit([middle, Math.max(-85, Math.min(85, lat))])?.[1] ?? 0
  const [top, bottom] = [y(north), y(south)]
  const scale = Math.min(width / (((east - west) * Math.PI) / 180), height / (bottom - top))
  const centre = unit.invert?.([0, (top + bottom) / 2]) ?? [middle, (south + north) / 2]
  return { lon: middle, lat: centre[1], zoom: Math.log2((2 * Math.PI * scale) / WORLD_PX) }
}

/** Where degrees lie in a picture of this view; `ratio` are its pixels to one of CSS. */
export function projection_of({ lon, lat, zoom }: View, width: number, height: number, ratio: number): GeoProjection {
  const scale = (WORLD_PX * 2 ** zoom * ratio) / (2 * Math.PI)
  const flat = geoMercator().rotate([-lon, 0]).center([0, lat]).scale(scale)
  return flat.translate([width / 2, height / 2]).precision(0)
}
