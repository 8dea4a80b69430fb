/** A map upon a site's own tiles: they are its ground where all is well with them, and the shipped ground stands there at every other moment. */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { tileset } from '../tileset.mjs'
import { check, FULL_HD, on_page, ULTRA_HD } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ version: string, bytes?: Buffer, map?: string, fault?: string }} Laid */

const OUT = new URL('../out/', import.meta.url).pathname
const FILE = 'maps/city.pmtiles'
const BARE = 'scenario=sheet&demo=no&kind=fenced&state=live'
const SHEET = `${BARE}&tiles=${FILE}`
const MAP = '[data-widget="w5"] .markers[data-ground]'
const NOTICE = '[data-notice="tiles"]'
/** @type {{ browser: 'gl' }} */
const GL = { browser: 'gl' }
const TILE_MAP = /^(ground-.*\.js|source-.*\.js|maplibre.*)$/
/** WebGL by software takes its time, beside others all the more. */
const WAIT_MS = 60_000

/** @param {Page} page @param {Laid | null} file */
const lay = (page, file) =>
  page.evaluate(
    ([name, laid]) => {
      Object.assign(globalThis, { __tiles: laid === null ? {} : { [name]: laid } })
    },
    /** @type {const} */ ([
      FILE,
      file === null ? null : { ...file, bytes: (file.bytes ?? Buffer.alloc(0)).toString('base64') },
    ]),
  )

/** @param {Page} page @param {'tiles' | 'canvas'} ground */
const stands_on = (page, ground) => page.waitForSelector(`${MAP}[data-ground="${ground}"]`, { timeout: WAIT_MS })

/** @param {Page} page @param {RegExp} words */
const says = (page, words) => page.locator(NOTICE).filter({ hasText: words }).waitFor({ timeout: WAIT_MS })

/** @param {Page} page */
const says_nothing = (page) => page.locator(NOTICE).waitFor({ state: 'detached', timeout: WAIT_MS })

/** What the page told of its map for the log. @param {Page} page @param {RegExp} words */
const told = (page, words) =>
  page.waitForFunction(
    (source) =>
      /** @type {any} */ (globalThis).__wall.calls.some(
        (/** @type {any} */ { command, args }) => command === 'tiles_told' && new RegExp(source).test(args.text),
      ),
    words.source,
  )

/** How many parts of a file the page has asked for. @param {Page} page */
const reads = (page) =>
  page.evaluate(
    () =>
      /** @type {any} */ (globalThis).__wall.calls.filter((/** @type {any} */ { command }) => command === 'tiles_read')
        .length,
  )

/** The names of what the page has loaded. @param {Page} page */
const loaded = (page) =>
  page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1) ?? ''))

/** The picture of the GPU's that a map stands on. @param {Page} page @param {'loseContext' | 'restoreContext'} what */
const gpu = (page, what) =>
  page.evaluate(([map, what]) => {
    const own = /** @type {any} */ (globalThis)
    const canvas = document.querySelector(`${map} canvas.maplibregl-canvas`)
    // A lost one has no extensions.
    if (what === 'loseContext' && canvas instanceof HTMLCanvasElement)
      own.__lose = canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')
    own.__lose[what]()
  }, /** @type {const} */ ([MAP, what]))

/** @param {Page} page @param {string} name */
async function picture(page, name) {
  await mkdir(OUT, { recursive: true })
  await page.screenshot({ path: `${OUT}${name}.png` })
}

export async function tiles() {
  await check('a wall whose board names no tiles loads nothing of them', () =>
    on_page(BARE, FULL_HD, async (page) => {
      await stands_on(page, 'canvas')
      await page.waitForTimeout(500)
      const names = await loaded(page)
      assert.ok(!names.some((name) => TILE_MAP.test(name) || name.startsWith('tiles-')), names.join(', '))
    }),
  )

  await check(
    'a missing file is told, and its tiles are drawn as soon as it is there; another one takes its place',
    () =>
      on_page(
        SHEET,
        FULL_HD,
        async (page) => {
          await says(page, /city\.pmtiles: there is no such file/)
          await stands_on(page, 'canvas')
          await picture(page, 'tiles-missing')
          await lay(page, { version: '1', bytes: tileset() })
          await stands_on(page, 'tiles')
          await says_nothing(page)
          const before = await page.locator(MAP).screenshot()
          await lay(page, { version: '2', bytes: tileset({ shift: 2 }) })
          for (let tries = 0; (await page.locator(MAP).screenshot()).equals(before); tries += 1) {
            assert.ok(tries < 60, 'the map is what it was')
            await page.waitForTimeout(100)
          }
          await stands_on(page, 'tiles')
          await lay(page, null)
          await says(page, /there is no such file/)
          await stands_on(page, 'canvas')
        },
        GL,
      ),
  )

  const europe = tileset({ is_real: true, bounds: [-12, 38, 32, 60] })
  for (const [theme, size] of Object.entries({ dark: ULTRA_HD, light: FULL_HD, night: FULL_HD })) {
    await check(`Natural Earth's coasts as tiles in a ${theme} room`, () =>
      on_page(
        `${SHEET}&theme=${theme}`,
        size,
        async (page) => {
          await lay(page, { version: '1', bytes: europe })
          await stands_on(page, 'tiles')
          await picture(page, `tiles-${theme}`)
        },
        GL,
      ),
    )
  }

  // MapLibre draws a tile as large as that of another size, so what is above must follow to the pixel.
  await check(
    'a window of another size keeps its tiles and its one picture of the GPU, and markers stand where the ground has them',
    () =>
      on_page(
        SHEET,
        FULL_HD,
        async (page) => {
          await lay(page, { version: '1', bytes: tileset() })
          await stands_on(page, 'tiles')
          const canvas = await page.evaluateHandle(
            (map) => document.querySelector(`${map} canvas.maplibregl-canvas`),
            MAP,
          )
          for (const size of [{ width: 1280, height: 720 }, ULTRA_HD, FULL_HD]) {
            await page.setViewportSize(size)
            await page.waitForFunction(([map, old]) => {
              const [element, above] = [document.querySelector(map), document.querySelector(`${map} canvas.above`)]
              const now = document.querySelector(`${map} canvas.maplibregl-canvas`)
              if (!(above instanceof HTMLCanvasElement) || !(now instanceof HTMLCanvasElement)) return false
              return now === old && now.width === element?.clientWidth && above.width === now.width
            }, /** @type {const} */ ([MAP, canvas]))
            assert.equal(await page.getAttribute(MAP, 'data-ground'), 'tiles')
          }
        },
        GL,
      ),
  )

  await check('a damaged file is told, and the shipped ground stands; it is not tried again and again', () =>
    on_page(
      SHEET,
      FULL_HD,
      async (page) => {
        await lay(page, { version: '1', bytes: Buffer.from('nothing of the kind, at some length'.repeat(9)) })
        await says(page, /without maps\/city\.pmtiles: /)
        await stands_on(page, 'canvas')
        const sound = tileset()
        const broken = { damaged: tileset({ broken: true }), cut: sound.subarray(0, sound.length / 2) }
        for (const [name, bytes] of Object.entries(broken)) {
          const version = `2 ${name}`
          await lay(page, { version, bytes })
          await page.waitForFunction(
            (version) =>
              /** @type {any} */ (globalThis).__wall.calls.some(
                (/** @type {any} */ { args }) => args?.version === version,
              ),
            version,
          )
          // It reads what it can, fails, and leaves the file alone.
          let before = -1
          for (let now = await reads(page); now !== before; now = await reads(page)) {
            before = now
            await page.waitForTimeout(4_500)
          }
          await says(page, /without maps\/city\.pmtiles: /)
          await stands_on(page, 'canvas')
          assert.equal(await page.locator(`${MAP} canvas.maplibregl-canvas`).count(), 0)
        }
        // Of elsewhere, and nothing where the map is.
        await lay(page, { version: '3', bytes: tileset({ bounds: [100, -10, 110, 0] }) })
        await says(page, /of elsewhere: its bounds are 100, -10 to 110, 0/)
        await lay(page, { version: '4', bytes: tileset({ shift: 90 }) })
        await says(page, /no tiles of where this map is/)
        await stands_on(page, 'canvas')
        await lay(page, { version: '5', bytes: sound })
        await stands_on(page, 'tiles')
        await says_nothing(page)
      },
      GL,
    ),
  )

  await check(
    'a lost GPU is told, the shipped ground stands at once, and tiles are back with it; not if it is lost ever again',
    () =>
      on_page(
        SHEET,
        FULL_HD,
        async (page) => {
          await lay(page, { version: '1', bytes: tileset() })
          await stands_on(page, 'tiles')
          for (const round of [1, 2]) {
            await gpu(page, 'loseContext')
            await stands_on(page, 'canvas')
            await says(page, /has lost its GPU/)
            if (round === 1) await picture(page, 'tiles-lost')
            await gpu(page, 'restoreContext')
            await stands_on(page, 'tiles')
            await says_nothing(page)
          }
          await gpu(page, 'loseContext')
          await says(page, /loses its GPU again and again/)
          await stands_on(page, 'canvas')
          assert.equal(await page.locator(`${MAP} canvas.maplibregl-canvas`).count(), 0)
        },
        GL,
      ),
  )

  await check('where WebGL is drawn by software, the shipped ground stands unless tiles are asked for', () =>
    on_page(
      SHEET,
      FULL_HD,
      async (page) => {
        await lay(page, { version: '1', bytes: tileset(), map: 'auto' })
        await told(page, /by software/)
        await stands_on(page, 'canvas')
        await says_nothing(page)
        // Nor is what would draw them loaded.
        const names = await loaded(page)
        assert.ok(!names.some((name) => TILE_MAP.test(name)), names.join(', '))
      },
      GL,
    ),
  )

  await check(
    'where there is no WebGL at all, the shipped ground stands, and that is told where tiles were asked for',
    () =>
      on_page(SHEET, FULL_HD, async (page) => {
        await page.evaluate(() => {
          const real = HTMLCanvasElement.prototype.getContext
          HTMLCanvasElement.prototype.getContext = /** @type {any} */ (
            /** @this {HTMLCanvasElement} @param {[any]} args */
            function (...args) {
              return args[0] === 'webgl2' ? null : real.apply(this, args)
            }
          )
        })
        await lay(page, { version: '1', bytes: tileset() })
        await says(page, /the web view has no WebGL 2/)
        await stands_on(page, 'canvas')
        await lay(page, { version: '1', bytes: tileset(), map: 'auto' })
        await says_nothing(page)
        assert.equal(await page.getAttribute(MAP, 'data-ground'), 'canvas')
      }),
  )

  await check('H5: panels that are made anew again and again leave no picture of the GPU behind', () =>
    on_page(
      SHEET,
      { width: 960, height: 540 },
      async (page) => {
        await page.evaluate(() => {
          const own = /** @type {any} */ (globalThis)
          own.__contexts = new Set()
          const real = HTMLCanvasElement.prototype.getContext
          HTMLCanvasElement.prototype.getContext = /** @type {any} */ (
            /** @this {HTMLCanvasElement} @param {[any]} args */
            function (...args) {
              const made = real.apply(this, args)
              if (args[0] === 'webgl2' && made !== null) own.__contexts.add(made)
              return made
            }
          )
        })
        await lay(page, { version: '1', bytes: tileset() })
        await stands_on(page, 'tiles')
        for (let turn = 0; turn < 12; turn += 1) {
          // Its panel is made anew with another size of text, as it is when a page turns.
          await page.keyboard.press(turn % 2 === 0 ? 'Control+Equal' : 'Control+Minus')
          await stands_on(page, 'tiles')
          await page.waitForTimeout(40)
        }
        const { made, held } = await page.evaluate(() => {
          const all = [.../** @type {any} */ (globalThis).__contexts]
          return { made: all.length, held: all.filter((gl) => !gl.isContextLost()).length }
        })
        console.log(`     ${made} made, ${held} held`)
        assert.ok(made > 12, `${made} made`)
        assert.equal(held, 1)
        assert.equal(await page.locator('canvas.maplibregl-canvas').count(), 1)
      },
      GL,
    ),
  )
}
