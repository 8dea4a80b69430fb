/**
 * The case sheet: every kind of widget in every state, as pictures that are kept, and computed from each whether all can be read,
 * nothing is cut off and nothing lies upon something else. In both engines: WebKitGTK is the wall's own, Chromium the other one that the
 * page is tested in.
 *
 *   node tests/sheet.mjs [--keep] [--quick] [--only TEXT] [--engine chromium|webkitgtk]
 *
 * `--keep` keeps what is drawn now. A picture that differs is written to `tests/out` with the kept one and where they differ.
 */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { arc_of, read_glass } from './glass.mjs'
import { CASES, FAR, is_quick, is_kept, name_of, SIZES } from './cases.mjs'
import { compared, scaled } from './compare.mjs'
import { assert_readable, check, finish, on_page } from './page/harness.mjs'
import { png, unpng } from './png.mjs'
import { settled } from './settled.mjs'
import { KEPT_COLOURS, KEPT_SCALE, ROUNDED_MAX, TONE_MAX, UNLIKE_MAX } from './sheet-limits.mjs'
import { webkit } from './webkit.mjs'

/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {import('./webkit.mjs').OnPage} OnPage */

const PICTURES = fileURLToPath(new URL('pictures/', import.meta.url))
const OUT = fileURLToPath(new URL('out/', import.meta.url))
/** What is read without effort, in minutes of arc (`ui/src/core/sight.ts`). */
const ARC_MIN = 15

const given = (/** @type {string} */ option) =>
  process.argv.includes(option) ? process.argv[process.argv.indexOf(option) + 1] : undefined
const keeps = process.argv.includes('--keep')
const only = given('--only') ?? ''
const quick = process.argv.includes('--quick')

/**
 * A picture with as few colours as tell it: a mark of a few pixels keeps its own.
 *
 * @param {import('./png.mjs').Picture} now
 */
function small(now) {
  const files = [1, 2, 4, 8].map((times) => () => png(now, times * KEPT_COLOURS))
  for (const make of files) {
    const file = make()
    const { most, tone } = compared(now, unpng(file))
    if (most === 0 && tone <= ROUNDED_MAX) return file
  }
  throw new Error('a picture of too many colours')
}

/**
 * @param {Case} one
 * @param {keyof typeof ENGINES} engine
 * @param {Buffer} file
 */
async function hold_against_kept(one, engine, file) {
  if (!is_kept(one, engine)) return
  const name = name_of(one)
  const now = scaled(unpng(file), SIZES[one.size].width / (KEPT_SCALE * (one.size === '4k' ? 2 : 1)))
  const path = join(PICTURES, engine, `${name}.png`)
  if (keeps) {
    await mkdir(join(PICTURES, engine), { recursive: true })
    await writeFile(path, small(now))
    return
  }
  const kept = await readFile(path).catch(() => null)
  assert.ok(kept !== null, `no picture of ${name} is kept: look at it, and keep it by --keep`)
  const { most, tone, where } = compared(now, unpng(kept))
  if (most <= UNLIKE_MAX && tone <= TONE_MAX) return
  await mkdir(OUT, { recursive: true })
  const out = join(OUT, `${name_of(one)}.${engine}`)
  await writeFile(`${out}.now.png`, file)
  await writeFile(`${out}.kept.png`, kept)
  await writeFile(`${out}.where.png`, png(where, 64))
  assert.fail(`it looks otherwise (${most} pixels, tone ${tone.toFixed(1)}): see ${out}.*.png`)
}

/**
 * Of what is read from afar the smallest text is large enough, or the wall says how small it is (docs/design-language.md, Sizes).
 *
 * @param {import('./webkit.mjs').View} page
 * @param {number} px_per_mm
 */
async function assert_seen_from_afar(page, px_per_mm) {
  const { smallest_px, smallest } = await page.evaluate(read_glass)
  const arc = arc_of(smallest_px / px_per_mm, FAR.distance_mm)
  const said = await page.evaluate(() => document.querySelector('[data-notice="sight"]')?.textContent ?? null)
  const told = Number(/(\d+)′ of arc/.exec(said ?? '')?.[1] ?? ARC_MIN)
  assert.ok(arc > told - 1, `${smallest} has ${arc.toFixed(1)}′ of arc, and the wall says ${said ?? 'nothing'}`)
}

/**
 * @param {keyof typeof ENGINES} engine
 * @param {OnPage} on
 */
async function look_at_all(engine, on) {
  if (keeps) await tidy(engine)
  const cases = CASES.filter(
    (one) => (!quick || is_quick(one, engine)) && (!keeps || is_kept(one, engine)) && name_of(one).includes(only),
  )
  for (const one of cases) {
    const { kind, state, size, theme, far } = one
    const px_per_mm = Math.hypot(SIZES[size].width, SIZES[size].height) / FAR.diagonal_mm
    const afar = far === true ? `&distance=${FAR.distance_mm}&px-per-mm=${px_per_mm}` : ''
    await check(`sheet: ${engine}: ${name_of(one)}`, () =>
      on(`scenario=sheet&demo=no&kind=${kind}&state=${state}&theme=${theme}${afar}`, SIZES[size], async (page) => {
        await page.evaluate(settled)
        await assert_readable(page, 15)
        if (far === true) await assert_seen_from_afar(page, px_per_mm)
        await hold_against_kept(one, engine, await page.screenshot())
      }),
    )
  }
}

const ENGINES = {
  // The one that the kept pictures are of.
  chromium: () => look_at_all('chromium', (query, size, use) => on_page(query, size, use, { browser: 'whole' })),
  webkitgtk: async () => {
    const browser = await webkit()
    try {
      await look_at_all('webkitgtk', browser.on_page)
    } finally {
      await browser.close()
    }
  },
}

/**
 * Pictures of cases that are no more go with those that are kept anew.
 *
 * @param {keyof typeof ENGINES} engine
 */
async function tidy(engine) {
  const known = new Set(CASES.filter((one) => is_kept(one, engine)).map((one) => `${name_of(one)}.png`))
  for (const file of await readdir(join(PICTURES, engine)).catch(() => []))
    if (!known.has(file)) await rm(join(PICTURES, engine, file))
}

try {
  // Beside each other: none of these measures time.
  const asked = given('--engine')
  await Promise.all(
    Object.entries(ENGINES).flatMap(([name, look]) => (asked === undefined || asked === name ? [look()] : [])),
  )
} finally {
  await finish()
}
