/** Writes a picture as small as a PNG gets without an art of its own: by a palette if it has few colours, packed as well as zlib can. */
import { deflateSync } from 'node:zlib'

const COLOURS_MAX = 256
const crc_table = Array.from({ length: 256 }, (_, at) => {
  let crc = at
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc >>> 0
})

/** @param {Buffer} bytes */
function crc32(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = crc_table[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/**
 * @param {string} type
 * @param {Buffer} data
 */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/**
 * A picture of RGBA pixels. Its channels are rounded to `step`, which is less than what a comparison takes for a difference.
 *
 * @param {{ width: number, height: number, pixels: Uint8Array }} picture
 * @param {number} step
 */
export function png({ width, height, pixels }, step) {
  /** @type {Map<number, number>} */
  const palette = new Map()
  const rounded = (/** @type {number} */ channel) => Math.min(255, Math.round(channel / step) * step)
  const colours = new Uint32Array(width * height)
  for (let at = 0; at < colours.length; at += 1) {
    const colour = (rounded(pixels[4 * at]) << 16) | (rounded(pixels[4 * at + 1]) << 8) | rounded(pixels[4 * at + 2])
    colours[at] = colour
    if (!palette.has(colour)) palette.set(colour, palette.size)
  }
  const few = palette.size <= COLOURS_MAX
  const row = few ? width : 3 * width
  const raw = Buffer.alloc((row + 1) * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const colour = colours[y * width + x]
      const at = y * (row + 1) + 1
      if (few) raw[at + x] = palette.get(colour) ?? 0
      else raw.writeUIntBE(colour, at + 3 * x, 3)
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, few ? 3 : 2, 0, 0, 0], 8)
  const table = Buffer.alloc(3 * palette.size)
  for (const [colour, at] of palette) table.writeUIntBE(colour, 3 * at, 3)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    ...(few ? [chunk('PLTE', table)] : []),
    chunk('IDAT', deflateSync(raw, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
