/** Pictures: reads a PNG as browsers write it, and writes one as small as it gets without an art of its own, by a palette. */
import { deflateSync, inflateSync } from 'node:zlib'

/** @typedef {{ width: number, height: number, pixels: Uint8Array }} Picture RGBA, a byte a channel */

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Colours that are counted as one, so that a palette is of what is on the wall and not of the edges of letters. */
const STEP = 4
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
 * The `most` colours that stand for those of a picture: first the commonest, then ever again the one that is missed most, by how many
 * pixels have it and how far it is from those that are chosen.
 *
 * @param {Map<number, number>} counts pixels of each colour
 * @param {number} most
 */
function palette_of(counts, most) {
  const all = [...counts].sort(([, a], [, b]) => b - a)
  if (all.length <= most) return all.map(([colour]) => colour)
  const far = new Float64Array(all.length).fill(Infinity)
  /** @type {number[]} */
  const chosen = []
  for (let next = 0; chosen.length < most;) {
    const [colour] = all[next]
    chosen.push(colour)
    let missed = -1
    for (const [at, [one, count]] of all.entries()) {
      far[at] = Math.min(far[at], distance(one, colour))
      const misses = far[at] * far[at] * Math.sqrt(count)
      if (misses > missed) [next, missed] = [at, misses]
    }
  }
  return chosen
}

/**
 * @param {number} one
 * @param {number} other
 */
function distance(one, other) {
  return (
    Math.abs((one >> 16) - (other >> 16)) +
    Math.abs(((one >> 8) & 255) - ((other >> 8) & 255)) +
    Math.abs((one & 255) - (other & 255))
  )
}

/**
 * A picture with `colours` of them at most.
 *
 * @param {Picture} picture
 * @param {number} colours 256 at most
 */
export function png({ width, height, pixels }, colours) {
  const rounded = (/** @type {number} */ channel) => Math.min(255, Math.round(channel / STEP) * STEP)
  const seen = new Uint32Array(width * height)
  /** @type {Map<number, number>} */
  const counts = new Map()
  for (let at = 0; at < seen.length; at += 1) {
    const colour = (rounded(pixels[4 * at]) << 16) | (rounded(pixels[4 * at + 1]) << 8) | rounded(pixels[4 * at + 2])
    seen[at] = colour
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const palette = palette_of(counts, colours)
  /** @type {Map<number, number>} */
  const place = new Map(palette.map((colour, at) => [colour, at]))
  for (const colour of counts.keys()) {
    if (place.has(colour)) continue
    let [nearest, least] = [0, Infinity]
    for (const [at, one] of palette.entries()) {
      const far = distance(one, colour)
      if (far < least) [nearest, least] = [at, far]
    }
    place.set(colour, nearest)
  }
  const bits = palette.length <= 16 ? 4 : 8
  const row = Math.ceil((width * bits) / 8)
  const raw = Buffer.alloc((row + 1) * height)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const index = place.get(seen[y * width + x]) ?? 0
      const start = y * (row + 1) + 1
      if (bits === 8) raw[start + x] = index
      else raw[start + (x >> 1)] |= x % 2 === 0 ? index << 4 : index
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([bits, 3, 0, 0, 0], 8)
  const table = Buffer.alloc(3 * palette.length)
  for (const [at, colour] of palette.entries()) table.writeUIntBE(colour, 3 * at, 3)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(raw, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Samples of a pixel by PNG's colour type: grey, RGB, palette, grey and alpha, RGBA. */
const SAMPLES = /** @type {Record<number, number>} */ ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 })

/**
 * The pixels of a PNG: of 8 bits a sample, or 4 by a palette, not interlaced, as browsers and `png` write it.
 *
 * @param {Buffer} file
 * @returns {Picture}
 */
export function unpng(file) {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error('no PNG')
  /** @type {Buffer[]} */
  const packed = []
  let [width, height, bits, type] = [0, 0, 0, 0]
  /** @type {Uint8Array} */
  let table = new Uint8Array(0)
  for (let at = 8; at + 12 <= file.length;) {
    const size = file.readUInt32BE(at)
    const name = file.toString('latin1', at + 4, at + 8)
    const data = file.subarray(at + 8, at + 8 + size)
    if (name === 'IHDR') {
      ;[width, height, bits, type] = [data.readUInt32BE(0), data.readUInt32BE(4), data[8], data[9]]
      if (data[12] !== 0) throw new Error('an interlaced PNG')
    } else if (name === 'PLTE') table = data
    else if (name === 'IDAT') packed.push(data)
    at += size + 12
  }
  const samples = SAMPLES[type]
  if (samples === undefined || (bits !== 8 && !(bits === 4 && type === 3)))
    throw new Error(`a PNG of type ${String(type)} with ${String(bits)} bits`)
  const raw = inflateSync(Buffer.concat(packed))
  const row = Math.ceil((width * samples * bits) / 8)
  unfilter(raw, row, Math.max(1, samples), height)
  const pixels = new Uint8Array(4 * width * height).fill(255)
  for (let y = 0; y < height; y += 1) {
    const start = y * (row + 1) + 1
    for (let x = 0; x < width; x += 1) {
      const to = 4 * (y * width + x)
      if (type === 3) {
        const index =
          bits === 8 ? raw[start + x] : x % 2 === 0 ? raw[start + (x >> 1)] >> 4 : raw[start + (x >> 1)] & 15
        for (let part = 0; part < 3; part += 1) pixels[to + part] = table[3 * index + part]
      } else
        for (let part = 0; part < 3; part += 1) pixels[to + part] = raw[start + x * samples + (samples < 3 ? 0 : part)]
    }
  }
  return { width, height, pixels }
}

/**
 * @param {Buffer} raw rows, each behind the number of its filter
 * @param {number} row bytes
 * @param {number} step bytes of a pixel
 * @param {number} height
 */
function unfilter(raw, row, step, height) {
  for (let y = 0; y < height; y += 1) {
    const start = y * (row + 1) + 1
    const filter = raw[start - 1]
    if (filter === 0) continue
    for (let x = 0; x < row; x += 1) {
      const left = x < step ? 0 : raw[start + x - step]
      const above = y === 0 ? 0 : raw[start + x - row - 1]
      const corner = x < step || y === 0 ? 0 : raw[start + x - step - row - 1]
      raw[start + x] +=
        filter === 1 ? left : filter === 2 ? above : filter === 3 ? (left + above) >> 1 : paeth(left, above, corner)
    }
  }
}

/**
 * @param {number} left
 * @param {number} above
 * @param {number} corner
 */
function paeth(left, above, corner) {
  const [a, b, c] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)]
  return a <= b && a <= c ? left : b <= c ? above : corner
}
