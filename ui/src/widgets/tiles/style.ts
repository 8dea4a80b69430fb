/**
 * How tiles look: greys of the theme, so that colour stays with what is abnormal. For Protomaps' layers and for those of OpenMapTiles; of other files
 * what has such a name is drawn.
 */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import { SIZES } from '../../core/sizes'
import { type Colours, mixed } from '../paint'

export const SOURCE = 'tiles'
export const PROTOCOL = 'wall'
/**
 * The shipped face: no glyphs are fetched, each is drawn here. There is no family of the first name; MapLibre takes from it that the next one is to lean, as
 * the names of layers do: what stands upright moves, or counts.
 */
const FACE = ['Italic', 'Roboto Condensed']

/** A longer name is cut. */
const NAME_CHARACTERS_MAX = 60

export interface Ground {
  /** What its tiles are asked for by: another one for another version. */
  readonly address: string
  readonly is_raster: boolean
  readonly layers: readonly string[]
  readonly min_zoom: number
  readonly max_zoom: number
  readonly bounds: [number, number, number, number]
}

const is = (key: string, ...words: string[]): ExpressionSpecification => ['in', ['get', key], ['literal', words]]

/** What its look depends on besides the file. */
export interface Dress {
  readonly colours: Colours
  /** CSS pixels. */
  readonly rem: number
  /** Whether places have their names. */
  readonly named: boolean
}

export function style_of(ground: Ground, { colours, rem, named }: Dress): StyleSpecification {
  const { address, is_raster, min_zoom: minzoom, max_zoom: maxzoom, bounds } = ground
  const tiles = [`${PROTOCOL}://${address}/{z}/{x}/{y}`]
  const known = new Set(ground.layers)
  // Where land is drawn, the rest is sea. Otherwise water is drawn, upon land.
  const is_sea = is_raster || known.has('earth')
  const background: LayerSpecification = {
    id: 'ground',
    type: 'background',
    paint: { 'background-color': is_sea ? colours.sea : colours.land },
  }
  if (is_raster) {
    const source = { type: 'raster' as const, tiles, tileSize: 256, minzoom, maxzoom, bounds }
    const paint = { 'raster-saturation': -1, 'raster-fade-duration': 0, 'raster-opacity': 0.6 }
    const layers: LayerSpecification[] = [background, { id: 'picture', type: 'raster', source: SOURCE, paint }]
    return { version: 8, sources: { [SOURCE]: source }, layers }
  }
  const source = { type: 'vector' as const, tiles, minzoom, maxzoom, bounds }
  const layers = [background, ...vectors(colours, rem)].filter(
    (layer) =>
      (named || layer.type !== 'symbol') &&
      (!('source-layer' in layer) || known.size === 0 || known.has(layer['source-layer'] ?? '')),
  )
  return { version: 8, sources: { [SOURCE]: source }, layers }
}

/** The widths of a line at zooms 5, 10, 15 and 18, in parts of a rem. */
type Widths = readonly [number, number, number, number]

function vectors(colours: Colours, rem: number): LayerSpecification[] {
  const { sea, land, coast, border, label } = colours
  const green = mixed(land, border, 0.7)
  const building = mixed(land, border, 0.45)
  const minor = mixed(border, land, 0.75)
  const major = mixed(coast, land, 0.55)
  const motorway = mixed(coast, land, 0.8)
  const layers: LayerSpecification[] = []
  const fill = (layer: string, colour: string, filter?: ExpressionSpecification): void => {
    layers.push({
      ...{ id: `${layer}-${String(layers.length)}`, type: 'fill', source: SOURCE, 'source-layer': layer },
      ...(filter === undefined ? {} : { filter }),
      paint: { 'fill-color': colour },
    })
  }
  const line = (layer: string, colour: string, at: Widths, filter?: ExpressionSpecification, dash?: number[]): void => {
    const [a, b, c, d] = at.map((width) => width * rem) as unknown as Widths
    layers.push({
      ...{ id: `${layer}-${String(layers.length)}`, type: 'line', source: SOURCE, 'source-layer': layer },
      ...(filter === undefined ? {} : { filter }),
      layout: { 'line-cap': dash === undefined ? 'round' : 'butt', 'line-join': 'round' },
      paint: {
        'line-color': colour,
        'line-width': ['interpolate', ['exponential', 1.4], ['zoom'], 5, a, 10, b, 15, c, 18, d],
        ...(dash === undefined ? {} : { 'line-dasharray': dash }),
      },
    })
  }
  const areas: ExpressionSpecification = ['==', ['geometry-type'], 'Polygon']

  // Land and what grows on it. Protomaps draws land upon the sea, OpenMapTiles the sea upon land.
  fill('earth', land)
  line('earth', coast, [0.1, 0.1, 0.1, 0.1], areas)
  const greens = ['park', 'forest', 'wood', 'grass', 'nature_reserve', 'national_park', 'cemetery', 'protected_area']
  fill('landuse', green, ['all', areas, is('kind', ...greens)])
  fill('landcover', green, ['any', is('class', 'wood', 'grass', 'forest'), is('kind', 'forest', 'grassland')])
  fill('park', green)
  fill('water', sea, areas)
  line('water', coast, [0.02, 0.05, 0.08, 0.1], areas)
  line('water', sea, [0.05, 0.1, 0.3, 0.8], ['==', ['geometry-type'], 'LineString'])
  line('waterway', sea, [0.05, 0.1, 0.3, 0.8])
  fill('buildings', building)
  fill('building', building)
  fill('aeroway', building, areas)

  // Roads, the smallest lowest.
  const small: Widths = [0, 0.03, 0.25, 1]
  line('roads', minor, small, is('kind', 'minor_road', 'other'))
  line('transportation', minor, small, is('class', 'minor', 'service', 'tertiary', 'track'))
  const middle: Widths = [0.02, 0.1, 0.5, 1.6]
  line('roads', major, middle, is('kind', 'major_road', 'medium_road'))
  line('transportation', major, middle, is('class', 'primary', 'secondary', 'trunk'))
  const large: Widths = [0.06, 0.2, 0.7, 2]
  line('roads', motorway, large, is('kind', 'highway'))
  line('transportation', motorway, large, is('class', 'motorway'))
  const rails: Widths = [0.02, 0.05, 0.12, 0.3]
  line('roads', major, rails, is('kind', 'rail'), [3, 2])
  line('transportation', major, rails, is('class', 'rail', 'transit'), [3, 2])

  const edge: Widths = [0.08, 0.12, 0.15, 0.2]
  line('boundaries', border, edge, is('kind', 'country'))
  line('boundaries', border, [0.04, 0.06, 0.1, 0.12], is('kind', 'region'), [3, 2])
  line('boundary', border, edge, ['<=', ['get', 'admin_level'], 2])
  line('boundary', border, [0.04, 0.06, 0.1, 0.12], ['==', ['get', 'admin_level'], 4], [3, 2])

  const name_colour = mixed(label, land, 0.7)
  const names = (layer: string, filter: ExpressionSpecification): void => {
    layers.push({
      ...{ id: `${layer}-${String(layers.length)}`, type: 'symbol', source: SOURCE, 'source-layer': layer, filter },
      layout: {
        'text-field': ['slice', ['to-string', ['get', 'name']], 0, NAME_CHARACTERS_MAX],
        'text-font': FACE,
        'text-size': SIZES.minor * rem,
        'text-max-width': 8,
        'text-padding': rem * 3,
      },
      paint: { 'text-color': name_colour, 'text-halo-color': land, 'text-halo-width': rem * 0.15 },
    })
  }
  names('places', is('kind', 'locality'))
  names('places', is('kind', 'neighbourhood', 'macrohood'))
  names('place', is('class', 'city', 'town', 'village'))
  names('place', is('class', 'suburb', 'neighbourhood', 'quarter'))
  return layers
}
