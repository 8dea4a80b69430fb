/** What the page's tests share: a browser that is handed the built page and the scripted host, and what is asked of every look. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { note_canvas_texts } from '../canvas.mjs'
import { read_glass } from '../glass.mjs'
import { backend, served } from './served.mjs'

const ADDRESS = 'http://wall.test'
export const HEARTBEAT_MS = 1_000
export const FULL_HD = { width: 1920, height: 1080 }
export const ULTRA_HD = { width: 3840, height: 2160 }

/** A browser that stands still would be waited for without end. */
const CHECK_MS_MAX = 180_000

const counts = { passed: 0, failed: 0 }

/**
 * @param {string} name
 * @param {() => Promise<void>} what
 */
export async function check(name, what) {
  const start = performance.now()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it takes longer than ${String(CHECK_MS_MAX)} ms`))
    }, CHECK_MS_MAX)
  })
  try {
    await Promise.race([what(), late])
    counts.passed += 1
    console.log(`ok   ${name} (${Math.round(performance.now() - start)} ms)`)
  } catch (error) {
    counts.failed += 1
    console.log(`FAIL ${name}\n${error instanceof Error ? error.message : String(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What o'clock it is for the page when its tests begin, by its own clock, which goes on from there: what is said of “Sun 23:50” isn't what is said
 * of “14:50”, and a test that passes in the afternoon would fail after midnight. `WATCHFLOOR_AT` is another one, as ISO 8601 has it.
 */
const BEGIN_MS = Date.parse(process.env['WATCHFLOOR_AT'] ?? '2026-11-24T18:00:00Z')
const SHIFT_MS = BEGIN_MS - Date.now()
/** What o'clock it is for the page. */
export const page_now_ms = () => Date.now() + SHIFT_MS
const clock = `{
  const Real = Date
  const now = () => Real.now() + ${String(SHIFT_MS)}
  globalThis.Date = new Proxy(Real, {
    construct: (real, given, made) => Reflect.construct(real, given.length === 0 ? [now()] : given, made),
    apply: () => new Real(now()).toString(),
    get: (real, name) => (name === 'now' ? now : Reflect.get(real, name)),
  })
}`
const script = await backend()

/** As Debian has them; `CHROMIUM` is another one, for all. */
const WHOLE_CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** Without a desktop's furniture, which opens a page in half the time, and draws letters a little otherwise. */
const LIGHT_CHROMIUM = '/usr/bin/chromium-headless-shell'
const HAS_LIGHT = process.env['CHROMIUM'] === undefined && existsSync(LIGHT_CHROMIUM)

/** What a test asks for: `gl` has WebGL, by software, where the others have none, as a wall without a GPU. */
const BROWSERS = {
  light: { executablePath: HAS_LIGHT ? LIGHT_CHROMIUM : WHOLE_CHROMIUM, args: ['--disable-gpu'] },
  whole: { executablePath: WHOLE_CHROMIUM, args: ['--disable-gpu'] },
  gl: { executablePath: WHOLE_CHROMIUM, args: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'] },
}
/** Those that run, each once. @type {Map<keyof typeof BROWSERS, Promise<import('playwright-core').Browser>>} */
const running = new Map()

/** @param {keyof typeof BROWSERS} which */
export function browser_of_tests(which) {
  const found = running.get(which)
  if (found !== undefined) return found
  const { executablePath, args } = BROWSERS[which]
  const launched = chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND', ...args],
  })
  running.set(which, launched)
  return launched
}

/**
 * @param {string} query
 * @param {{ width: number, height: number }} size
 * @param {(page: import('playwright-core').Page) => Promise<void>} use
 * @param {{ notes?: boolean, browser?: keyof typeof BROWSERS, before?: (page: import('playwright-core').Page) => Promise<void> }} [how] `notes`: whether what is written on canvases is noted, which costs a little each time; `browser`: which one it is drawn
 *   by; `before`: what is done to the page before it is opened
 */
export async function on_page(query, size, use, { notes = true, browser = 'light', before } = {}) {
  // Rows on their way would lie upon each other: this looks at where things come to rest.
  const page = await (await browser_of_tests(browser)).newPage({ viewport: size, reducedMotion: 'reduce' })
  /** @type {string[]} */
  const faults = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  try {
    await page.addInitScript(clock)
    if (notes) await page.addInitScript(note_canvas_texts)
    await page.addInitScript(script)
    // As the web view of a machine without a locale says.
    if (query.includes('language=C')) {
      await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C' }))
    }
    await page.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/favicon.ico') return route.fulfill({ status: 204 })
      const { body, type, headers } = await served(pathname)
      return route.fulfill({ body, contentType: type, headers })
    })
    await before?.(page)
    await page.goto(`${ADDRESS}/?${query}`)
    await page.waitForSelector('[data-widget], [data-furniture]')
    await page.waitForFunction(() =>
      [...document.querySelectorAll('[data-kind="markers"] canvas')].every(
        // A canvas that was never given a size has that of the standard.
        (canvas) => {
          const { width, height } = /** @type {HTMLCanvasElement} */ (canvas)
          return canvas.clientHeight === 0 || width !== 300 || height !== 150
        },
      ),
    )
    await use(page)
    assert.deepEqual(faults, [], 'errors of the page')
  } finally {
    await page.close()
  }
}

/**
 * Has the scripted host say something else from now on: the parts of a frame, as source text. `bad` makes a part that throws when it is
 * read, as a component does that meets what it can't draw.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} parts
 */
export const say = (page, parts) =>
  page.evaluate(`{
    const { host } = globalThis.__wall
    globalThis.__frame ??= host.frame.bind(host)
    const bad = (one, key) => Object.defineProperty({ ...one }, key, { enumerable: false, get() { throw new Error('bad') } })
    const now = Date.now()
    const one = (more) => ({ source: 'ops', began_ms: now - 60_000, ended_ms: now - 30_000, source_began_ms: null,
      source_ended_ms: null, cause: 'connection reset', became: 'proven', missed: 3, ...more })
    const status = () => ({ kind: 'status', tiles: ['red', 'blue'].map((key) => ({ key, label: key, text: String(performance.now()),
      state: 'normal', detail: null, since_ms: null })) })
    host.frame = (all) => {
      const frame = globalThis.__frame(all)
      return { ...frame, ${parts} }
    }
  }`)

/** @param {import('playwright-core').Page} page */
export const freshnesses = (page) =>
  page.$$eval('[data-widget]', (all) => [...new Set(all.map((one) => one.getAttribute('data-freshness')))].sort())

/**
 * @param {import('playwright-core').Page} page
 * @param {string} expected
 */
export const all_become = (page, expected) =>
  page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('[data-widget]')].every((one) => one.getAttribute('data-freshness') === wanted),
    expected,
    { timeout: 6_000, polling: 50 },
  )

/** Frames in a row in which nothing has moved: then it is at rest, on a slow machine as well. */
const STILL_FRAMES = 12

/**
 * Waits until everything has come to where it stays: for as long as a box or a canvas changes its place or size, however slow the machine is. What is
 * written may go on changing, as it does on a live wall; where it doesn't, `settled` waits for all of it.
 *
 * @param {import('playwright-core').Page} page
 */
export async function at_rest(page) {
  await page.evaluate(() => delete (/** @type {any} */ (globalThis).__rest))
  await page.waitForFunction(
    (frames) => {
      const places = [
        ...document.querySelectorAll('[data-widget], [data-furniture], [data-notice], [data-source], canvas, svg, h1'),
      ]
        .map((one) => Object.values(one.getBoundingClientRect().toJSON()).map(Math.round).join())
        .join(';')
      const before = /** @type {any} */ (globalThis).__rest ?? { places: undefined, count: 0 }
      const count = before.places === places ? before.count + 1 : 0
      ;/** @type {any} */ (globalThis).__rest = { places, count }
      return count >= frames
    },
    STILL_FRAMES,
    { polling: 'raf' },
  )
}

/**
 * @param {Pick<import('playwright-core').Page, 'evaluate'>} page
 * @param {number} [texts_min]
 */
export async function assert_readable(page, texts_min = 30) {
  const glass = await page.evaluate(read_glass)
  assert.ok(glass.texts >= texts_min, `only ${glass.texts} texts`)
  assert.deepEqual(glass.small, [], 'too small')
  assert.deepEqual(glass.clipped, [], 'cut off')
  assert.deepEqual(glass.overlapping, [], 'upon each other')
  assert.deepEqual(glass.faint, [], 'too little contrast')
  assert.equal(glass.scrolls, false, 'the page scrolls')
}

/**
 * Closes the browsers, says how many passed, and leaves with their verdict.
 *
 * @param {boolean} [says]
 */
export async function finish(says = true) {
  for (const browser of running.values()) await (await browser).close()
  if (says) console.log(`page: ${counts.passed} passed, ${counts.failed} failed`)
  process.exitCode = counts.failed === 0 ? 0 : 1
}
