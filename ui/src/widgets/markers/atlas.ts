/** The ground of a map: Natural Earth's countries, and the states of the US, whose shores run around the Great Lakes. */
import { geoConicConformal, geoEquirectangular, geoGraticule, geoPath, type GeoProjection } from 'd3-geo'
import text from 'virtual:atlas'
import type { Colours } from '../paint'
import { LAKES } from './lakes'
import { type Atlas, unpacked } from './unpack'

/** A conformal cone suits what is as wide as a continent at most and clear of poles and equator. */
const CONE_DEGREES_MAX = 70
/**
 * Below this width lines between two points of the atlas are drawn straight: as much of the earth is flat. Bending them is done for all
 * of the world before it is cut to the bounds, and at the scale of a town that takes longer than a page may stand still.
 */
const FLAT_DEGREES_MAX = 3

let atlas: Atlas | null = null

function loaded(): Atlas {
  atlas ??= unpacked(text)
  return atlas
}

/** A projection that shows the bounds (west, south, east, north) in a picture of this size, and what lies around them. */
export function projection(
  [west, south, east, north]: readonly [number, number, number, number],
  width: number,
  height: number,
): GeoProjection {
  const middle = (west + east) / 2
  const conic = east - west <= CONE_DEGREES_MAX && south * north > 0 && Math.max(Math.abs(south), Math.abs(north)) < 80
  const sixth = (north - south) / 6
  const raw = conic
    ? geoConicConformal()
        .parallels([south + sixth, north - sixth])
        .rotate([-middle, 0])
    : geoEquirectangular().rotate([-middle, 0])
  if (east - west < FLAT_DEGREES_MAX) raw.precision(0)
  const edge: [number, number][] = []
  for (let part = 0; part <= 1; part += 1 / 16) {
    const lon = west + (east - west) * part
    const lat = south + (north - south) * part
    edge.push([lon, south], [lon, north], [west, lat], [east, lat])
  }
  return raw
    .fitExtent(
      [
        [0, 0],
        [width, height],
      ],
      { type: 'MultiPoint', coordinates: edge },
    )
    .clipExtent([
      [-8, -8],
      [width + 8, height + 8],
    ])
}

/** Paints sea, land, borders and graticule. Once a size: markers move above it. */
export function paint_ground(ctx: CanvasRenderingContext2D, to: GeoProjection, colours: Colours, px: number): void {
  const { land, borders, states, state_borders } = loaded()
  const { width, height } = ctx.canvas
  const path = geoPath(to, ctx)
  const stroke = (shape: Parameters<typeof path>[0], colour: string, line_px: number): void => {
    ctx.beginPath()
    path(shape)
    ctx.strokeStyle = colour
    ctx.lineWidth = line_px
    ctx.stroke()
  }
  const fill = (shape: Parameters<typeof path>[0], colour: string): void => {
    ctx.beginPath()
    path(shape)
    ctx.fillStyle = colour
    ctx.fill()
  }
  ctx.fillStyle = colours.sea
  ctx.fillRect(0, 0, width, height)
  ctx.lineJoin = 'round'
  fill(land, colours.land)
  stroke(land, colours.coast, px)
  for (const ring of LAKES) {
    ctx.beginPath()
    for (const point of ring) {
      const at = to([...point] as [number, number])
      if (at !== null) ctx.lineTo(at[0], at[1])
    }
    ctx.closePath()
    ctx.fillStyle = colours.sea
    ctx.fill()
    ctx.strokeStyle = colours.coast
    ctx.lineWidth = px
    ctx.stroke()
  }
  // The coast of the states goes under their ground, so that inland it is drawn nowhere.
  stroke(states, colours.coast, 2 * px)
  fill(states, colours.land)
  stroke(state_borders, colours.border, px)
  stroke(borders, colours.border, 1.5 * px)
  ctx.globalAlpha = 0.5
  stroke(geoGraticule().step([5, 5])(), colours.graticule, px)
  ctx.globalAlpha = 1
}
