/** Makes a small PMTiles file (version 3), for tests: of made-up land, or of Natural Earth's countries. https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md */
import { GeoJSONVT } from '@maplibre/geojson-vt'
import { fromGeojsonVt } from '@maplibre/vt-pbf'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { zxyToTileId } from 'pmtiles'
import { feature as feature_of, mesh } from 'topojson-client'

const ZOOM_MAX = 6

/** @param {number} value */
function varint(value) {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128)
  return [...bytes, value]
}

/** @param {Record<string, unknown>} properties @param {string} type @param {unknown} coordinates */
const feature = (properties, type, coordinates) => ({ type: 'Feature', properties, geometry: { type, coordinates } })

/** A square around a place, degrees. @param {number} lon @param {number} lat @param {number} half */
const square = (lon, lat, half) => [
  [lon - half, lat - half],
  [lon + half, lat - half],
  [lon + half, lat + half],
  [lon - half, lat + half],
  [lon - half, lat - half],
]

/** @param {number} shift degrees that all stands further east: another content */
function layers(shift) {
  const at = 10 + shift
  const line = (/** @type {number} */ lat) => [
    [at - 5, lat],
    [at, lat + 1],
    [at + 5, lat - 0.5],
  ]
  return {
    earth: [feature({ kind: 'earth' }, 'Polygon', [square(at, 48.5, 4.5)])],
    landuse: [feature({ kind: 'park' }, 'Polygon', [square(at - 2, 49, 0.8)])],
    water: [feature({ kind: 'lake' }, 'Polygon', [square(at + 2, 47, 0.7)])],
    buildings: [feature({ kind: 'building' }, 'Polygon', [square(at, 50.5, 0.3)])],
    roads: [
      feature({ kind: 'highway' }, 'LineString', line(48)),
      feature({ kind: 'major_road' }, 'LineString', line(49.5)),
      feature({ kind: 'minor_road' }, 'LineString', line(46.5)),
    ],
    boundaries: [feature({ kind: 'country' }, 'LineString', line(50.5))],
    places: [
      feature({ kind: 'locality', name: 'Mirabel' }, 'Point', [at - 2, 50.2]),
      feature({ kind: 'locality', name: 'القاهرة' }, 'Point', [at + 2.5, 48.8]),
    ],
  }
}

/** Where degrees lie among the tiles of a zoom. @param {number} lon @param {number} z */
const column = (lon, z) => Math.min(2 ** z - 1, Math.floor(((lon + 180) / 360) * 2 ** z))
/** @param {number} lat @param {number} z */
const row = (lat, z) => {
  const y = Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI
  return Math.max(0, Math.min(2 ** z - 1, Math.floor(((1 - y) / 2) * 2 ** z)))
}

/** Natural Earth's countries, 1:50 million, as Protomaps names such layers, and four of its towns. */
function natural_earth() {
  const path = createRequire(import.meta.url).resolve('world-atlas/countries-50m.json')
  const topology = JSON.parse(readFileSync(path, 'utf8'))
  const { countries, land } = topology.objects
  const earth = /** @type {any} */ (feature_of(topology, land))
  const borders = mesh(topology, countries, (/** @type {unknown} */ a, /** @type {unknown} */ b) => a !== b)
  const town = (/** @type {string} */ name, /** @type {number} */ lon, /** @type {number} */ lat) =>
    feature({ kind: 'locality', name }, 'Point', [lon, lat])
  return {
    earth: earth.features,
    boundaries: [feature({ kind: 'country' }, borders.type, borders.coordinates)],
    places: [
      town('München', 11.58, 48.14),
      town('Genève', 6.14, 46.2),
      town('Praha', 14.42, 50.09),
      town('Köln', 6.96, 50.94),
    ],
  }
}

/**
 * @param {{ shift?: number, broken?: boolean, bounds?: number[], is_real?: boolean }} [how] `broken`: whether its tiles aren't any; `bounds`: what it covers;
 *   `is_real`: Natural Earth
 * @returns {Buffer}
 */
export function tileset({ shift = 0, broken = false, bounds = [-180, -85, 180, 85], is_real = false } = {}) {
  const [west = 0, south = 0, east = 0, north = 0] = bounds
  const indices = Object.entries(is_real ? natural_earth() : layers(shift)).map(([name, features]) => {
    const data = /** @type {any} */ ({ type: 'FeatureCollection', features })
    return { name, index: new GeoJSONVT(data, { maxZoom: ZOOM_MAX, indexMaxZoom: ZOOM_MAX, indexMaxPoints: 0 }) }
  })
  /** @type {{ id: number, bytes: Uint8Array }[]} */
  const tiles = []
  for (let z = 0; z <= ZOOM_MAX; z += 1) {
    for (let x = column(west, z); x <= column(east, z); x += 1) {
      for (let y = row(north, z); y <= row(south, z); y += 1) {
        /** @type {Record<string, any>} */
        const found = {}
        for (const { name, index } of indices) {
          const tile = index.getTile(z, x, y)
          if (tile !== null) found[name] = tile
        }
        if (Object.keys(found).length === 0) continue
        const bytes = broken ? new Uint8Array(40).fill(0xff) : fromGeojsonVt(found, { version: 2, extent: 4096 })
        tiles.push({ id: zxyToTileId(z, x, y), bytes })
      }
    }
  }
  tiles.sort((a, b) => a.id - b.id)
  const ids = tiles.flatMap(({ id }, at) => varint(id - (tiles[at - 1]?.id ?? 0)))
  const runs = tiles.map(() => 1)
  const lengths = tiles.flatMap(({ bytes }) => varint(bytes.length))
  // A place of 0 is that behind the tile before.
  const places = tiles.map((_, at) => (at === 0 ? 1 : 0))
  const directory = Buffer.from([...varint(tiles.length), ...ids, ...runs, ...lengths, ...places])
  const named = indices.map(({ name }) => ({ id: name, fields: {} }))
  const metadata = Buffer.from(JSON.stringify({ vector_layers: named }))
  const data = Buffer.concat(tiles.map(({ bytes }) => bytes))
  const header = Buffer.alloc(127)
  header.write('PMTiles')
  header[7] = 3
  const [at_directory, at_metadata] = [header.length, header.length + directory.length]
  const at_data = at_metadata + metadata.length
  const parts = [
    [at_directory, directory.length],
    [at_metadata, metadata.length],
    [at_data, 0],
    [at_data, data.length],
    [tiles.length, tiles.length],
  ]
  parts.flat().forEach((value, at) => header.writeBigUInt64LE(BigInt(value), 8 + 8 * at))
  header.writeBigUInt64LE(BigInt(tiles.length), 88)
  // Tiles follow each other; nothing is packed; vector tiles; zooms.
  header.set([1, 1, 1, 1, 0, ZOOM_MAX], 96)
  bounds.forEach((value, at) => header.writeInt32LE(value * 1e7, 102 + 4 * at))
  return Buffer.concat([header, directory, metadata, data])
}
