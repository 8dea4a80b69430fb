/**
 * Makes the ground of the maps while the page is built: Natural Earth's countries and the states of the US (both in the public domain),
 * as little of them as a wall can show. Names and the borders' owners are left out, points that nobody could see from a town's width
 * upwards, and isles that would be a dot on it. `src/widgets/markers/unpack.ts` reads it.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { MultiLineString, MultiPolygon } from 'geojson'
import { merge, mesh } from 'topojson-client'
import {
  filter,
  filterWeight,
  presimplify,
  type Ring,
  simplify,
  sphericalRingArea,
  sphericalTriangleArea,
} from 'topojson-simplify'
import type {
  GeometryCollection,
  MultiPolygon as TopoMultiPolygon,
  Objects,
  Polygon,
  Topology,
} from 'topojson-specification'
import type { Plugin } from 'vite'
import { packed } from '../src/widgets/markers/unpack.ts'

/** The module that the page imports. */
const MODULE = 'virtual:atlas'
/** ISO 3166's number. The states, which are finer, stand in place of the country. */
const UNITED_STATES = '840'
const ANTARCTICA = '010'
const EARTH_KM2 = 510_064_472
/** A point is left out where the triangle that it makes with its neighbours is smaller, and a ring that is smaller itself. */
const POINT_KM2 = 10
const RING_KM2 = 12
/** Antarctica lies beyond the default bounds and is drawn stretched: what counts there is the picture. */
const ANTARCTIC_POINT_DEGREES2 = 0.04
const STATES_POINT_KM2 = 6
const STATES_RING_KM2 = 6

type Properties = Record<string, unknown>
type Areas = GeometryCollection<Properties>
type Shapes = Topology<Objects<Properties>>
type Countries = Topology<{ countries: Areas }>
type States = Topology<{ states: Areas }>

function is_area(area: { type: string | null }): area is Polygon | TopoMultiPolygon {
  return area.type === 'Polygon' || area.type === 'MultiPolygon'
}

/** Square kilometres as parts of the sphere, in steradians. */
function steradians(km2: number): number {
  return (km2 / EARTH_KM2) * 4 * Math.PI
}

/** The same with fewer points; what two areas share stays one line. */
function simpler<T extends Shapes>(topology: T, point_km2: number): T {
  return simplify(presimplify(topology, sphericalTriangleArea), steradians(point_km2)) as T
}

/** The same without the smallest rings. */
function larger<T extends Shapes>(topology: T, ring_km2: number): T {
  // The library gives a second argument that its types don't have.
  const area = (ring: Ring, interior = false): number => sphericalRingArea(ring, interior)
  return filter(topology, filterWeight(topology, steradians(ring_km2), area)) as T
}

function areas(topology: Shapes, collection: Areas, except: readonly string[]): MultiPolygon {
  const chosen = collection.geometries.filter((area) => !except.includes(String(area.id)) && is_area(area))
  return merge(topology, chosen as (Polygon | TopoMultiPolygon)[])
}

/** The continent without its isles. Its ring runs along the map's lower edge, which has no area on the sphere. */
function antarctica(raw: Countries): MultiPolygon['coordinates'] {
  const rough = simplify(presimplify(raw), ANTARCTIC_POINT_DEGREES2) as Countries
  const area = rough.objects.countries.geometries.filter((one) => String(one.id) === ANTARCTICA && is_area(one))
  const { coordinates } = merge(rough, area as (Polygon | TopoMultiPolygon)[])
  return coordinates.sort((a, b) => (b[0]?.length ?? 0) - (a[0]?.length ?? 0)).slice(0, 1)
}

export function atlas_text(countries_json: string, states_json: string): string {
  const raw = JSON.parse(countries_json) as Countries
  const world = larger(simpler(raw, POINT_KM2), RING_KM2)
  const us = larger(simpler(JSON.parse(states_json) as States, STATES_POINT_KM2), STATES_RING_KM2)
  const { countries } = world.objects
  const { states } = us.objects
  const land = areas(world, countries, [UNITED_STATES, ANTARCTICA])
  land.coordinates.push(...antarctica(raw))
  const borders: MultiLineString = mesh(
    world,
    countries,
    (a, b) => a !== b && String(a.id) !== UNITED_STATES && String(b.id) !== UNITED_STATES,
  )
  return packed({ land, borders, states: areas(us, states, []), state_borders: mesh(us, states, (a, b) => a !== b) })
}

export function atlas(): Plugin {
  const { resolve } = createRequire(import.meta.url)
  return {
    name: 'atlas',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : null),
    async load(id) {
      if (id !== `\0${MODULE}`) return null
      const [countries, states] = await Promise.all(
        ['world-atlas/countries-50m.json', 'us-atlas/states-10m.json'].map((file) => readFile(resolve(file), 'utf8')),
      )
      return `export default ${JSON.stringify(atlas_text(countries ?? '', states ?? ''))}`
    },
  }
}
