/** Ranges of a file of tiles, and its tiles. */
import {
  Compression,
  type Header,
  PMTiles,
  type RangeResponse,
  SharedPromiseCache,
  type Source,
  TileType,
} from 'pmtiles'
import type { TilesHost } from './host'

/** No directory and no tile is larger. As in `src-tauri/src/tiles.rs`. */
export const RANGE_BYTES_MAX = 8 << 20
/** What metadata or a tile may be once it is unpacked: a few packed bytes can say a gigabyte. */
export const UNPACKED_BYTES_MAX = 32 << 20
/** The same of a directory, of which each four bytes may become an entry of twenty times as many. One of all of the earth has half a megabyte. */
export const DIRECTORY_BYTES_MAX = 2 << 20
/** Directories that are kept: a map that stands still needs a few. */
const DIRECTORIES_MAX = 8
/** Layers that are looked at, of what a file says of itself. */
const LAYERS_MAX = 200
/** Beyond it a tile is some millimetres of earth. */
const ZOOM_MAX = 24

/** One version of a file: for another there is another. */
export class FileSource implements Source {
  readonly #host: TilesHost
  readonly #file: string
  readonly #version: string

  constructor(host: TilesHost, file: string, version: string) {
    this.#host = host
    this.#file = file
    this.#version = version
  }

  getKey(): string {
    return `${this.#version} ${this.#file}`
  }

  async getBytes(offset: number, length: number, signal?: AbortSignal): Promise<RangeResponse> {
    if (!Number.isSafeInteger(offset) || offset < 0 || !(length > 0 && length <= RANGE_BYTES_MAX))
      throw new Error(`it is damaged: it names ${String(length)} bytes from ${String(offset)} on`)
    const data = await this.#host.tiles_read(this.#file, this.#version, offset, length)
    signal?.throwIfAborted()
    // A first look may be longer than the file. What the file itself names must be there.
    if (offset > 0 && data.byteLength < length) throw new Error('it is cut off: copy it again')
    return { data }
  }
}

/** Unpacks metadata or a tile, as far as it may be large. */
export function unpack(packed: ArrayBuffer, by: Compression): Promise<ArrayBuffer> {
  return unpacked(packed, by, UNPACKED_BYTES_MAX)
}

async function unpacked(packed: ArrayBuffer, by: Compression, bytes_max: number): Promise<ArrayBuffer> {
  if (by === Compression.None || by === Compression.Unknown) {
    if (packed.byteLength > bytes_max) throw too_large(bytes_max)
    return packed
  }
  if (by !== Compression.Gzip) throw new Error('it is packed by something else than gzip')
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.byteLength
    if (bytes > bytes_max) {
      await reader.cancel()
      throw too_large(bytes_max)
    }
    parts.push(read.value)
  }
  return await new Blob(parts).arrayBuffer()
}

function too_large(bytes_max: number): Error {
  return new Error(`it is damaged: a part of it has more than ${String(bytes_max)} bytes unpacked`)
}

/** What a map must know of a file. */
export interface Tileset {
  readonly file: PMTiles
  readonly header: Header
  readonly is_raster: boolean
  /** The names of its layers of vectors. */
  readonly layers: readonly string[]
}

/** Opens a file for a map of these bounds. Fails with why its tiles can't be drawn. */
export async function tileset(source: Source, bounds: readonly [number, number, number, number]): Promise<Tileset> {
  // Directories are unpacked by what keeps them, and by nothing else.
  const directories = new SharedPromiseCache(DIRECTORIES_MAX, true, (packed, by) =>
    unpacked(packed, by, DIRECTORY_BYTES_MAX),
  )
  const file = new PMTiles(source, directories, unpack)
  const header = await file.getHeader()
  const is_raster = [TileType.Png, TileType.Jpeg, TileType.Webp].includes(header.tileType)
  if (!is_raster && header.tileType !== TileType.Mvt)
    throw new Error("it holds tiles of a kind that can't be drawn here")
  judge(header, bounds)
  return { file, header, is_raster, layers: is_raster ? [] : layer_names(await file.getMetadata()) }
}

/** Fails if the header's zooms and bounds can't be, or lie elsewhere than the map. */
export function judge(
  {
    minZoom,
    maxZoom,
    minLon,
    minLat,
    maxLon,
    maxLat,
  }: Pick<Header, 'minZoom' | 'maxZoom' | 'minLon' | 'minLat' | 'maxLon' | 'maxLat'>,
  [west, south, east, north]: readonly [number, number, number, number],
): void {
  if (minZoom > maxZoom || maxZoom > ZOOM_MAX)
    throw new Error(`it is damaged: its zooms are ${String(minZoom)} to ${String(maxZoom)}`)
  const covers = `${String(minLon)}, ${String(minLat)} to ${String(maxLon)}, ${String(maxLat)}`
  if (!(minLon < maxLon && minLat < maxLat && minLon >= -180 && maxLon <= 180 && minLat >= -90 && maxLat <= 90))
    throw new Error(`it is damaged: its bounds are ${covers}`)
  // A map beyond the antimeridian is the same earth once more.
  const meets = [-360, 0, 360].some((turn) => minLon + turn < east && maxLon + turn > west)
  if (!meets || minLat >= north || maxLat <= south) throw new Error(`it is of elsewhere: its bounds are ${covers}`)
}

/** The layers that metadata name; none where it isn't of their form. */
export function layer_names(metadata: unknown): string[] {
  if (typeof metadata !== 'object' || metadata === null || !('vector_layers' in metadata)) return []
  const { vector_layers: layers } = metadata
  if (!Array.isArray(layers)) return []
  return layers.slice(0, LAYERS_MAX).flatMap((layer: unknown) => {
    const id = typeof layer === 'object' && layer !== null && 'id' in layer ? layer.id : null
    return typeof id === 'string' ? [id] : []
  })
}
