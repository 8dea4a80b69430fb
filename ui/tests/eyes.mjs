/**
 * Eyes without one of their three cones: what a colour is to them, and how far two colours are apart. The simulation is that of Machado,
 * Oliveira and Fernandes (2009) at full severity, the distance CIE76.
 */

/** Two colours of less are one to somebody who looks from afar. */
export const DISTANCE_MIN = 14

/** @type {Record<string, number[][]>} */
export const EYES = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

/** @param {number} channel 0 to 255 */
function linear(channel) {
  const part = channel / 255
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}

/** @param {number[]} rgb linear */
function lab(rgb) {
  const [r, g, b] = rgb.map((part) => Math.min(1, Math.max(0, part)))
  const f = (/** @type {number} */ t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116)
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b)
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

/**
 * A colour as an eye has it, in CIELAB.
 *
 * @param {readonly number[]} rgb 0 to 255
 * @param {number[][]} eye
 */
export function seen(rgb, eye) {
  const [r, g, b] = rgb.map(linear)
  return lab(eye.map(([of_r, of_g, of_b]) => of_r * r + of_g * g + of_b * b))
}

/**
 * @param {readonly number[]} one rgb
 * @param {readonly number[]} other
 * @param {number[][]} eye
 */
export function distance(one, other, eye) {
  const [a, b] = [seen(one, eye), seen(other, eye)]
  return Math.hypot(...a.map((part, at) => part - b[at]))
}

/**
 * Which part of two pictures of one size looks otherwise to an eye.
 *
 * @param {import('./png.mjs').Picture} one
 * @param {import('./png.mjs').Picture} other
 * @param {number[][]} eye
 */
export function part_apart(one, other, eye) {
  /** @type {Map<number, number[]>} */
  const known = new Map()
  const lab_at = (/** @type {Uint8Array} */ pixels, /** @type {number} */ at) => {
    const colour = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]
    let is = known.get(colour)
    if (is === undefined) known.set(colour, (is = seen([pixels[at], pixels[at + 1], pixels[at + 2]], eye)))
    return is
  }
  let apart = 0
  for (let at = 0; at < one.pixels.length; at += 4) {
    const [a, b] = [lab_at(one.pixels, at), lab_at(other.pixels, at)]
    if (Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) >= DISTANCE_MIN) apart += 1
  }
  return apart / (one.width * one.height)
}
