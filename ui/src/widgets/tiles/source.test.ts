import { Compression } from 'pmtiles'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { TilesHost } from './host'
import { FileSource, judge, layer_names, RANGE_BYTES_MAX, unpack, UNPACKED_BYTES_MAX } from './source'

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

test('H5: a few packed bytes that say a gigabyte are refused', async () => {
  const some = Uint8Array.from({ length: 100_000 }, (_, at) => at % 7)
  expect(new Uint8Array(await unpack(packed(some), Compression.Gzip))).toEqual(some)
  expect((await unpack(some.buffer, Compression.None)).byteLength).toBe(100_000)
  await expect(unpack(packed(new Uint8Array(UNPACKED_BYTES_MAX + 1)), Compression.Gzip)).rejects.toThrow('damaged')
  await expect(unpack(some.buffer, Compression.Gzip)).rejects.toThrow()
  await expect(unpack(some.buffer, Compression.Brotli)).rejects.toThrow('gzip')
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
