/**
 * The case sheet: every kind of widget in every state, as pictures that are kept, and computed from each whether all can be read,
 * nothing is cut off and nothing lies upon something else.
 *
 *   node tests/sheet.mjs [--keep] [--quick] [--only TEXT]
 *
 * `--keep` keeps what is drawn now. A picture that differs is written to `tests/out` with the kept one and where they differ.
 */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CASES, is_quick, name_of, SIZES } from './cases.mjs'
import { assert_readable, check, finish, on_page } from './page/harness.mjs'
import { png } from './png.mjs'

const PICTURES = fileURLToPath(new URL('pictures/chromium/', import.meta.url))
const OUT = fileURLToPath(new URL('out/', import.meta.url))
/** Parts of a picture that may differ: another version's rounding of a letter's edge. */
const DIFFERENT_MAX = 0.001
/** Two channels that differ by no more are the same; kept pictures have theirs rounded to less. */
/** Pictures are kept at half of their size, which shows all that anybody would see and weighs a third. */
const KEPT_SCALE = 0.5
const CHANNEL_STEP = 8
const CHANNEL_MAX = 48
/** Pixels around one, to each side, whose mean is compared. */
const BLUR = 3

/**
 * The pixels of a picture, decoded by the browser; and how many differ from those of another, with a picture of where.
 *
 * @param {import('playwright-core').Page} page
 * @param {Buffer} now
 * @param {Buffer | null} kept
 */
const compared = async (page, now, kept) =>
  page.evaluate(
    async ([one, other, channel_max, kept_scale, blur]) => {
      /**
       * @param {string} base64
       * @param {number} scale
       */
      const decoded = async (base64, scale) => {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
        const [wide, high] = [bitmap.width * scale, bitmap.height * scale]
        const canvas = new OffscreenCanvas(wide, high)
        const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'))
        pen.imageSmoothingQuality = 'high'
        pen.drawImage(bitmap, 0, 0, wide, high)
        return pen.getImageData(0, 0, wide, high)
      }
      /** @param {Uint8Array | Uint8ClampedArray} bytes */
      const encoded = async (bytes) => {
        const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)])
        const url = await new Promise((resolve) => {
          const reader = new FileReader()
          reader.onload = () => resolve(reader.result)
          reader.readAsDataURL(blob)
        })
        return String(url).split(',')[1] ?? ''
      }
      const a = await decoded(one, kept_scale)
      const { width, height } = a
      if (other === '') return { width, height, pixels: await encoded(a.data), different: 1, where: '' }
      const b = await decoded(other, 1)
      if (b.width !== width || b.height !== height)
        return { width, height, pixels: await encoded(a.data), different: 1, where: '' }
      const where = new Uint8ClampedArray(a.data.length)
      let different = 0
      /**
       * The mean of the pixels around one: another machine's letters have other edges, and the same weight in the same place.
       *
       * @param {ImageData} image
       * @param {number} x
       * @param {number} y
       * @param {number} to
       */
      const around = (image, x, y, to) => {
        let [sum, count] = [0, 0]
        for (let dy = -blur; dy <= blur; dy += 1)
          for (let dx = -blur; dx <= blur; dx += 1) {
            if (x + dx < 0 || y + dy < 0 || x + dx >= width || y + dy >= height) continue
            sum += image.data[((y + dy) * width + x + dx) * 4 + to] ?? 0
            count += 1
          }
        return sum / count
      }
      for (let at = 0; at < where.length; at += 4) {
        const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)]
        const differs = [0, 1, 2].some((to) => Math.abs(around(a, x, y, to) - around(b, x, y, to)) > channel_max)
        if (differs) different += 1
        where.set(differs ? [255, 0, 0, 255] : [...a.data.slice(at, at + 3)].map((to) => to / 3), at)
      }
      return {
        width,
        height,
        pixels: await encoded(a.data),
        different: different / (width * height),
        where: different === 0 ? '' : await encoded(where),
      }
    },
    /** @type {const} */ ([now.toString('base64'), kept?.toString('base64') ?? '', CHANNEL_MAX, KEPT_SCALE, BLUR]),
  )

const keeps = process.argv.includes('--keep')
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : ''
const cases = CASES.filter(
  (one) => (!process.argv.includes('--quick') || is_quick(one)) && name_of(one).includes(only ?? ''),
)

/** @param {import('./cases.mjs').Case} one */
async function look(one) {
  const name = name_of(one)
  await check(`sheet: ${name}`, () =>
    on_page(
      `scenario=sheet&demo=no&kind=${one.kind}&state=${one.state}&theme=${one.theme}`,
      SIZES[one.size],
      async (page) => {
        await page.waitForTimeout(Number(process.env['SETTLE_MS'] ?? 500))
        await assert_readable(page, 15)
        // Letters that aren't shipped are the system's, and another's system has others.
        if (one.state === 'rtl') return
        const now = await page.screenshot()
        const path = join(PICTURES, `${name}.png`)
        const kept = keeps ? null : await readFile(path).catch(() => null)
        // Beyond the quick ones pictures are for the eye, and for a comparison on the machine that has made them.
        if (!keeps && kept === null) {
          assert.ok(!is_quick(one), `no picture of ${name} is kept: look at it, and keep it by --keep`)
          return
        }
        const { width, height, pixels, different, where } = await compared(page, now, kept)
        const small = (/** @type {string} */ base64) =>
          png({ width, height, pixels: Buffer.from(base64, 'base64') }, CHANNEL_STEP)
        if (keeps) {
          await mkdir(PICTURES, { recursive: true })
          await writeFile(path, small(pixels))
          return
        }
        if (different <= DIFFERENT_MAX) return
        await mkdir(OUT, { recursive: true })
        await writeFile(join(OUT, `${name}.now.png`), now)
        await writeFile(join(OUT, `${name}.kept.png`), kept ?? now)
        if (where !== '') await writeFile(join(OUT, `${name}.where.png`), small(where))
        assert.fail(`${(different * 100).toFixed(2)} % of its pixels are others: see ui/tests/out/${name}.*.png`)
      },
    ),
  )
}

try {
  // Two at a time: none of these measures time.
  const lane = async () => {
    for (let one = cases.shift(); one !== undefined; one = cases.shift()) await look(one)
  }
  await Promise.all([lane(), lane()])
} finally {
  await finish()
}
