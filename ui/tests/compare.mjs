/** How alike two pictures are to an eye that stands a few metres away: by the mean of a patch, not by the pixel. */

/** @typedef {import('./png.mjs').Picture} Picture */

/**
 * Two means of a channel that differ by no more are the same. Another machine's letters have other edges and the same weight at the
 * same place.
 */
const CHANNEL_MAX = 24
/** Pixels around one, to each side, whose mean is compared. */
const BLUR = 1

/**
 * A picture at a part of its size, each pixel the mean of those that it covers.
 *
 * @param {Picture} picture
 * @param {number} width of the result, which divides the picture's
 * @returns {Picture}
 */
export function scaled({ width: from, height, pixels }, width) {
  const times = from / width
  if (!Number.isInteger(times) || times < 1)
    throw new Error(`${String(from)} pixels are no multiple of ${String(width)}`)
  const high = Math.floor(height / times)
  const out = new Uint8Array(4 * width * high).fill(255)
  for (let y = 0; y < high; y += 1)
    for (let x = 0; x < width; x += 1) {
      let [r, g, b] = [0, 0, 0]
      for (let dy = 0; dy < times; dy += 1) {
        let at = 4 * ((y * times + dy) * from + x * times)
        for (let dx = 0; dx < times; dx += 1, at += 4) {
          r += pixels[at]
          g += pixels[at + 1]
          b += pixels[at + 2]
        }
      }
      const to = 4 * (y * width + x)
      const count = times * times
      out[to] = Math.round(r / count)
      out[to + 1] = Math.round(g / count)
      out[to + 2] = Math.round(b / count)
    }
  return { width, height: high, pixels: out }
}

/**
 * The sum of a channel over all pixels above and left of each: a patch's mean is four of them.
 *
 * @param {Picture} picture
 * @param {number} channel
 */
function sums(picture, channel) {
  const { width, height, pixels } = picture
  const out = new Float64Array((width + 1) * (height + 1))
  for (let y = 0; y < height; y += 1) {
    let row = 0
    for (let x = 0; x < width; x += 1) {
      row += pixels[4 * (y * width + x) + channel]
      out[(y + 1) * (width + 1) + x + 1] = out[y * (width + 1) + x + 1] + row
    }
  }
  return out
}

/** Pixels of a square's side, in which unlike ones are counted and whose mean is compared. */
const SQUARE = 16

/**
 * How unlike two pictures are: the most unlike pixels in one square of 16, the largest difference of a square's mean in a channel, and
 * a picture of where.
 *
 * @param {Picture} one
 * @param {Picture} other
 * @param {number} [channel_max]
 * @returns {{ most: number, tone: number, where: Picture }}
 */
export function compared(one, other, channel_max = CHANNEL_MAX) {
  const { width, height } = one
  const where = { width, height, pixels: new Uint8Array(4 * width * height).fill(255) }
  if (other.width !== width || other.height !== height) return { most: SQUARE * SQUARE, tone: 255, where }
  const unlike = new Uint8Array(width * height)
  let tone = 0
  for (let channel = 0; channel < 3; channel += 1) {
    const [a, b] = [sums(one, channel), sums(other, channel)]
    /**
     * @param {number} left
     * @param {number} top
     * @param {number} right
     * @param {number} bottom
     */
    const apart = (left, top, right, bottom) => {
      const mean_of = (/** @type {Float64Array} */ of) =>
        (of[bottom * (width + 1) + right] -
          of[top * (width + 1) + right] -
          of[bottom * (width + 1) + left] +
          of[top * (width + 1) + left]) /
        ((right - left) * (bottom - top))
      return Math.abs(mean_of(a) - mean_of(b))
    }
    for (let y = 0; y < height; y += 1)
      for (let x = 0; x < width; x += 1) {
        const [left, top] = [Math.max(0, x - BLUR), Math.max(0, y - BLUR)]
        const [right, bottom] = [Math.min(width, x + BLUR + 1), Math.min(height, y + BLUR + 1)]
        if (apart(left, top, right, bottom) > channel_max) unlike[y * width + x] = 1
      }
    for (let y = 0; y < height; y += SQUARE)
      for (let x = 0; x < width; x += SQUARE)
        tone = Math.max(tone, apart(x, y, Math.min(width, x + SQUARE), Math.min(height, y + SQUARE)))
  }
  /** @type {Map<number, number>} */
  const squares = new Map()
  for (let at = 0; at < unlike.length; at += 1) {
    if (unlike[at] === 1) {
      const square = Math.floor(at / width / SQUARE) * width + Math.floor((at % width) / SQUARE)
      squares.set(square, (squares.get(square) ?? 0) + 1)
      where.pixels.set([255, 0, 0, 255], 4 * at)
    } else for (let part = 0; part < 3; part += 1) where.pixels[4 * at + part] = one.pixels[4 * at + part] / 3
  }
  return { most: Math.max(0, ...squares.values()), tone, where }
}
