import { Compression } from 'pmtiles'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { TilesHost } from './host'
import {
  DIRECTORY_BYTES_MAX,
  FileSource,
  judge,
  layer_names,
  RANGE_BYTES_MAX,
  tileset,
  unpack,
  UNPACKED_BYTES_MAX,
} from './source'

const packed = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(gzipSync(bytes)).buffer

test('H5: what a file names is bounded before it is asked for', async () => {
  const asked: number[] = []
  const host: TilesHost = {
    tiles_open: () => Promise.reject(new Error('not asked')),
    tiles_read: (_file, _version, offset, length) => {
      asked.push(offset, length)
      return Promise.resolve(new ArrayBuffer(Math.min(length, 100)))
    },
    tiles_told: () => Promise.resolve(),
  }
  const source = new FileSource(host, 'a.pmtiles', '1')
  expect((await source.getBytes(5, 7)).data.byteLength).toBe(7)
  for (const [offset, length] of [
    [-1, 5],
    [0, 0],
    [0, RANGE_BYTES_MAX + 1],
    [2 ** 53, 5],
    [Number.NaN, 5],
    [0, Number.NaN],
    [1.5, 1],
  ] as const)
    await expect(source.getBytes(offset, length)).rejects.toThrow('damaged')
  expect(asked).toEqual([5, 7])
  expect((await source.getBytes(0, 16_384)).data.byteLength).toBe(100)
  await expect(source.getBytes(127, 101)).rejects.toThrow('cut off')
})

test('H5: a few packed bytes that say a gigabyte are refused', { timeout: 60_000 }, async () => {
  const some = Uint8Array.from({ length: 100_000 }, (_, at) => at % 7)
  expect(new Uint8Array(await unpack(packed(some), Compression.Gzip))).toEqual(some)
  expect((await unpack(some.buffer, Compression.None)).byteLength).toBe(100_000)
  await expect(unpack(packed(new Uint8Array(UNPACKED_BYTES_MAX + 1)), Compression.Gzip)).rejects.toThrow('damaged')
  await expect(unpack(some.buffer, Compression.Gzip)).rejects.toThrow()
  await expect(unpack(some.buffer, Compression.Brotli)).rejects.toThrow('gzip')
})

/** A source of a file whose directories, packed, are these: the first one, and another that is one of leaves. */
function source_of(root: Uint8Array, leaf: Uint8Array, leaves_at?: number): FileSource {
  const [first, other] = [new Uint8Array(packed(root)), new Uint8Array(packed(leaf))]
  const metadata = new Uint8Array(packed(new TextEncoder().encode('{}')))
  const bytes = new Uint8Array(127 + first.length + other.length + metadata.length)
  const header = new DataView(bytes.buffer)
  bytes.set([...new TextEncoder().encode('PMTiles'), 3])
  bytes.set(first, 127)
  bytes.set(other, 127 + first.length)
  bytes.set(metadata, 127 + first.length + other.length)
  const places = [
    [127, first.length],
    [127 + first.length + other.length, metadata.length],
    [leaves_at ?? 127 + first.length, other.length],
    [127, 1],
  ]
  for (const [at, value] of places.flat().entries()) header.setBigUint64(8 + 8 * at, BigInt(value), true)
  // Gzip, vector tiles, zooms 0 to 5, all of the earth.
  bytes.set([1, 2, 2, 1, 0, 5], 96)
  for (const [at, degrees] of [-180, -85, 180, 85].entries()) header.setInt32(102 + 4 * at, degrees * 1e7, true)
  return new FileSource(
    {
      tiles_open: () => Promise.reject(new Error('not asked')),
      tiles_read: (_file, _version, offset, length) => Promise.resolve(bytes.slice(offset, offset + length).buffer),
      tiles_told: () => Promise.resolve(),
    },
    'a.pmtiles',
    String(bytes.length),
  )
}

/** A directory of one entry, from tile 0 on: its run, its length, and its place and one. */
const entry = (run: number, length: number): Uint8Array => Uint8Array.from([1, 0, run, length, 1])
const WORLD = [-180, -60, 180, 80] as const

test(
  'H5: a few packed bytes that say a large directory are refused, wherever it stands',
  { timeout: 60_000 },
  async () => {
    const bomb = new Uint8Array(DIRECTORY_BYTES_MAX + 1)
    await expect(tileset(source_of(bomb, entry(1, 1)), WORLD)).rejects.toThrow('it is damaged')
    const small = packed(bomb).byteLength
    const root = Uint8Array.from([1, 0, 0, (small % 128) | 128, Math.floor(small / 128), 1])
    const { file } = await tileset(source_of(root, bomb), WORLD)
    await expect(file.getZxy(0, 0, 0)).rejects.toThrow('it is damaged')
  },
)

test('H5: directories that name each other in a circle come to an end', async () => {
  const root = entry(0, packed(entry(0, 0)).byteLength)
  const { file } = await tileset(source_of(root, root, 127), WORLD)
  await expect(file.getZxy(3, 1, 1)).rejects.toThrow('depth')
})

test('a file of elsewhere, or with bounds that nothing has, is refused', () => {
  const world = { minZoom: 0, maxZoom: 14, minLon: -180, minLat: -85, maxLon: 180, maxLat: 85 }
  const oslo = { ...world, minLon: 10, minLat: 59, maxLon: 11, maxLat: 60 }
  judge(world, [10, 59, 11, 60])
  judge(oslo, [10.9, 59.9, 12, 61])
  judge({ ...oslo, minLon: -179, maxLon: -178 }, [178, 58, 182, 61])
  expect(() => {
    judge(oslo, [11, 59, 12, 60])
  }).toThrow('elsewhere')
  expect(() => {
    judge(oslo, [10, 60, 11, 61])
  }).toThrow('elsewhere')
  for (const odd of [
    { minZoom: 15 },
    { maxZoom: 200 },
    { minLon: 11 },
    { maxLat: 91 },
    { minLon: -181 },
    { minLat: Number.NaN },
  ])
    expect(() => {
      judge({ ...oslo, ...odd }, [10, 59, 11, 60])
    }).toThrow('damaged')
})

test('of metadata only the names of layers are taken', () => {
  expect(layer_names({ vector_layers: [{ id: 'water' }, { id: 7 }, null, 'x', { id: 'roads' }] })).toEqual([
    'water',
    'roads',
  ])
  for (const odd of [null, 7, 'x', [], {}, { vector_layers: {} }]) expect(layer_names(odd)).toEqual([])
  expect(layer_names({ vector_layers: Array.from({ length: 999 }, () => ({ id: 'x' })) }).length).toBe(200)
})
