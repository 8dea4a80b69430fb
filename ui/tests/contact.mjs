/**
 * The contact sheet: one panel of every kind of widget in every state, on one picture, for the documentation.
 *
 *   node tests/contact.mjs [FILE]      docs/images/contact-sheet.png unless another one is named
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { CASES, KEPT, SIZES } from './cases.mjs'
import { browser_of_tests, finish, on_page } from './page/harness.mjs'
import { png, unpng } from './png.mjs'
import { settled } from './settled.mjs'

const FILE = process.argv[2] ?? fileURLToPath(new URL('../../docs/images/contact-sheet.png', import.meta.url))
const FACES = fileURLToPath(new URL('../node_modules/@fontsource/', import.meta.url))
/** The panel that stands for a kind: four columns by three rows, in which everything has room. */
const PANEL = '[data-widget="w0"], [data-furniture="w0"], [data-furniture]'
/** A panel's picture on the sheet, of about 640 by 400 pixels. */
const CELL = { width: 304, height: 190 }
const COLOURS = 64

const kinds = [...new Set(CASES.map(({ kind }) => kind))]
const has = (/** @type {string} */ kind, /** @type {string} */ state) =>
  CASES.some((one) => one.kind === kind && one.state === state && one.size === '1080p' && one.theme === 'dark')

/** @type {Map<string, string>} */
const pictures = new Map()
const wanted = kinds.flatMap((kind) => KEPT.flatMap((state) => (has(kind, state) ? [{ kind, state }] : [])))
const lane = async () => {
  for (let one = wanted.shift(); one !== undefined; one = wanted.shift()) {
    const { kind, state } = one
    await on_page(`scenario=sheet&demo=no&kind=${kind}&state=${state}`, SIZES['1080p'], async (page) => {
      await page.evaluate(settled)
      const panel = await page.locator(PANEL).first().boundingBox()
      if (panel === null) throw new Error(`${kind} has no panel`)
      pictures.set(`${kind} ${state}`, (await page.screenshot({ clip: panel })).toString('base64'))
    })
  }
}

/** @param {string} path */
const face = async (path) => `url(data:font/woff2;base64,${(await readFile(FACES + path)).toString('base64')})`

try {
  await Promise.all([lane(), lane()])
  const cell = (/** @type {string} */ kind, /** @type {string} */ state) => {
    const picture = pictures.get(`${kind} ${state}`)
    return picture === undefined ? '<i></i>' : `<img src="data:image/png;base64,${picture}">`
  }
  const html = `<!doctype html><meta charset="utf-8"><style>
    @font-face { font-family: Condensed; font-weight: 700; src: ${await face('roboto-condensed/files/roboto-condensed-latin-700-normal.woff2')} }
    @font-face { font-family: Condensed; font-weight: 400; src: ${await face('roboto-condensed/files/roboto-condensed-latin-400-normal.woff2')} }
    * { margin: 0 }
    body { width: max-content; padding: 28px 32px 32px; background: #101212; color: #e8e8e8; font: 400 20px Condensed }
    h1 { font-size: 34px; font-weight: 700 }
    p { margin: 2px 0 18px; color: #9aa2a6 }
    .all { display: grid; grid-template-columns: 116px repeat(${String(KEPT.length)}, ${String(CELL.width)}px); gap: 10px; align-items: center }
    b { font-size: 24px; font-weight: 700 }
    b.state { padding-left: 2px; color: #c8cdd0 }
    img, i { display: block; width: ${String(CELL.width)}px; height: ${String(CELL.height)}px }
    img { object-fit: fill; background: #1b1d1e }
    i { border-radius: 0; background: repeating-linear-gradient(-45deg, #161919 0 6px, #101212 6px 12px) }
  </style>
  <h1>Every widget in every state</h1>
  <p>One panel each, as it is drawn at 1920×1080. What shows nothing of a source has no freshness; a clock whose source isn’t live says that it stands.</p>
  <div class="all"><span></span>${KEPT.map((state) => `<b class="state">${state}</b>`).join('')}
  ${kinds.map((kind) => `<b>${kind}</b>${KEPT.map((state) => cell(kind, state)).join('')}`).join('')}</div>`
  const page = await (await browser_of_tests('light')).newPage({ viewport: { width: 2800, height: 1000 } })
  await page.setContent(html)
  await page.evaluate(async () => {
    await document.fonts.ready
    await Promise.all([...document.images].map((image) => image.decode()))
  })
  const shot = unpng(await page.locator('body').screenshot())
  await page.close()
  const file = png(shot, COLOURS)
  await writeFile(FILE, file)
  console.log(`${FILE}: ${String(shot.width)} × ${String(shot.height)}, ${String(Math.round(file.length / 1024))} KiB`)
} finally {
  await finish(false)
}
