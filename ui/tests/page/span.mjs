/** One page over several monitors: a window for each, which together are one picture. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { all_become, assert_readable, at_rest, check, FULL_HD, on_page, say, ULTRA_HD } from './harness.mjs'

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ columns: number, rows: number, hidden: [number, number] }} Wall */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

/** Pixels that rounding costs. */
const CLOSE = 1.5
const PORTRAIT = { width: 1080, height: 1920 }
const QUERY = 'scenario=pages&demo=no'

/**
 * Opens a window for each monitor of a wall, and says to each which part it has.
 *
 * @param {string} query
 * @param {{ width: number, height: number }} size
 * @param {Wall} wall
 * @param {(pages: Page[]) => Promise<void>} use
 * @param {Page[]} [open]
 */
async function on_wall(query, size, wall, use, open = []) {
  const at = open.length
  if (at === wall.columns * wall.rows) return use(open)
  await on_page(query, size, async (page) => {
    await all_become(page, 'live')
    await stay(page)
    await part(page, wall, at, size)
    await on_wall(query, size, wall, use, [...open, page])
  })
}

/**
 * The first page, from now on: on a slow machine the pages turn before all windows are open, each by its own clock.
 *
 * @param {Page} page
 */
async function stay(page) {
  await page.evaluate(async () => {
    const { host } = /** @type {any} */ (globalThis).__wall
    await host.turn('show', 0)
    await host.turn('pin')
  })
  await page.waitForSelector('[data-page="now"][aria-current="page"]')
}

/**
 * @param {Page} page
 * @param {Wall} wall
 * @param {number} at
 * @param {{ width: number, height: number }} size
 */
async function part(page, { columns, rows, hidden }, at, size) {
  const own = { columns, rows, column: at % columns, row: Math.floor(at / columns) }
  await say(page, `span: ${JSON.stringify({ ...own, monitor_px: [size.width, size.height], hidden_px: hidden })}`)
  await page.waitForFunction(
    (wanted) => document.querySelector('main')?.getAttribute('data-part') === wanted,
    `${own.column},${own.row}`,
  )
  await at_rest(page)
}

/**
 * Has the host's first widgets stand there, on a board of one page: column, row, width, height.
 *
 * @param {Page} page
 * @param {number[][]} places
 * @param {string} [kind] of these alone
 */
const lay = (page, places, kind) =>
  page.evaluate(`{
    const { host } = globalThis.__wall
    const frame = host.frame.bind(host)
    const kind = ${JSON.stringify(kind ?? null)}
    host.frame = () => {
      const all = frame(true)
      const found = all.board.widgets.filter(({ look }) => kind === null || look.kind === kind)
      const widgets = ${JSON.stringify(places)}.map(([column, row, width, height], at) =>
        ({ ...found[at], page: 0, place: { column, row, width, height } }))
      const ids = widgets.map(({ id }) => id)
      return { ...all, board: { ...all.board, pages: [], widgets, furniture: [] }, page: undefined,
        widgets: all.widgets.filter(({ id }) => ids.includes(id)) }
    }
  }`)

/** @param {Page} page @param {string} what @returns {Promise<Record<string, Box>>} */
const boxes = (page, what) =>
  page.$$eval(
    `[${what}]`,
    (all, name) =>
      Object.fromEntries(
        all.map((one) => {
          const { left, top, right, bottom } = one.getBoundingClientRect()
          return [one.getAttribute(name), { left, top, right, bottom }]
        }),
      ),
    what,
  )

/**
 * Where something of a window is on the whole wall.
 *
 * @param {Box} box
 * @param {Wall} wall
 * @param {number} at
 * @param {{ width: number, height: number }} size
 */
function on_whole(box, { columns, hidden }, at, size) {
  const [x, y] = [(at % columns) * (size.width + hidden[0]), Math.floor(at / columns) * (size.height + hidden[1])]
  return { left: box.left + x, top: box.top + y, right: box.right + x, bottom: box.bottom + y }
}

/** @param {Box} one @param {Box} other */
const is_same = (one, other) =>
  [one.left - other.left, one.top - other.top, one.right - other.right, one.bottom - other.bottom].every(
    (off) => Math.abs(off) <= CLOSE,
  )

/** @param {Page[]} pages @param {string} name */
async function keep(pages, name) {
  if (process.env['SPAN_PICTURES'] === undefined) return
  mkdirSync('tests/out', { recursive: true })
  for (const [at, page] of pages.entries()) await page.screenshot({ path: `tests/out/span-${name}-${at}.png` })
}

export async function span() {
  for (const [size, wall] of /** @type {[typeof FULL_HD, Wall][]} */ ([
    [FULL_HD, { columns: 2, rows: 1, hidden: [60, 0] }],
    [FULL_HD, { columns: 3, rows: 1, hidden: [36, 0] }],
    [FULL_HD, { columns: 1, rows: 2, hidden: [0, 44] }],
    [FULL_HD, { columns: 2, rows: 2, hidden: [24, 24] }],
    [PORTRAIT, { columns: 3, rows: 2, hidden: [30, 30] }],
    [ULTRA_HD, { columns: 2, rows: 1, hidden: [80, 0] }],
  ])) {
    const name = `${wall.columns}×${wall.rows} of ${size.width}×${size.height}`
    await check(`a wall of ${name} is one picture, and each panel is on one monitor`, () =>
      on_wall(QUERY, size, wall, async (pages) => {
        await keep(pages, `${wall.columns}x${wall.rows}-${size.width}`)
        /** @type {Map<string, number>} */
        const stands = new Map()
        for (const [at, page] of pages.entries()) {
          const own = await boxes(page, 'data-widget')
          for (const [id, box] of Object.entries(own)) {
            assert.ok(!stands.has(id), `${id} is drawn twice`)
            stands.set(id, at)
            const inside = box.left >= 0 && box.top >= 0 && box.right <= size.width && box.bottom <= size.height
            assert.ok(inside, `${id} is cut by a bezel: ${JSON.stringify(box)}`)
          }
          const list = Object.values(own)
          list.forEach((one, from) => {
            for (const other of list.slice(from + 1)) {
              const apart =
                one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top
              assert.ok(apart, `upon each other on monitor ${at}`)
            }
          })
          // Who stands before any of them sees whether it lives, and how its sources are.
          assert.equal(await page.locator('[data-proof-of-life]').count(), 1)
          assert.equal(await page.locator('[data-source]').count(), 1)
          await assert_readable(page, 1)
        }
        const ids = await pages[0]?.evaluate(() => {
          const { host } = /** @type {any} */ (globalThis).__wall
          const { board } = host.frame(true)
          return board.widgets
            .filter((/** @type {any} */ view) => (view.page ?? 0) === 0)
            .map((/** @type {any} */ view) => view.id)
        })
        assert.deepEqual([...stands.keys()].sort(), ids.sort(), 'nothing vanishes')
        // Its title, its clock and its pages stand once.
        const count = async (/** @type {string} */ what) => {
          let sum = 0
          for (const page of pages) sum += await page.locator(what).count()
          return sum
        }
        assert.equal(await count('h1'), 1)
        assert.equal(await count('[data-clock]'), 1)
        assert.equal(await count('[data-page][aria-current="page"]'), 1)
      }),
    )
  }

  await check('frames of panels that lie across are the same picture on each monitor, and their words on one', () =>
    on_wall(QUERY, FULL_HD, { columns: 2, rows: 2, hidden: [60, 40] }, async (pages) => {
      const wall = /** @type {Wall} */ ({ columns: 2, rows: 2, hidden: [60, 40] })
      for (const page of pages) {
        await lay(page, [
          [1, 1, 12, 3],
          [1, 4, 5, 5],
          [6, 4, 7, 5],
        ])
        await page.waitForSelector('[data-notice="bezel"]')
        await at_rest(page)
      }
      await keep(pages, 'across')
      /** @type {Map<string, Box>} */
      const known = new Map()
      for (const [at, page] of pages.entries()) {
        for (const [id, box] of Object.entries(await boxes(page, 'data-across'))) {
          const whole = on_whole(box, wall, at, FULL_HD)
          const before = known.get(id)
          if (before === undefined) known.set(id, whole)
          else assert.ok(is_same(before, whole), `${id}: ${JSON.stringify([before, whole])}`)
        }
        for (const [id, box] of Object.entries(await boxes(page, 'data-widget'))) {
          const frame = known.get(id)
          if (frame === undefined) continue
          const own = on_whole(box, wall, at, FULL_HD)
          const inside = own.left >= frame.left - CLOSE && own.right <= frame.right + CLOSE
          assert.ok(inside && own.top >= frame.top - CLOSE && own.bottom <= frame.bottom + CLOSE, id)
        }
        assert.match(await page.innerText('[data-notice="bezel"]'), /lies? across a bezel/)
      }
      assert.ok(known.size > 0, 'something lies across')
    }),
  )

  await check('a map that lies across is one map, of which each monitor has its part', () => {
    const wall = /** @type {Wall} */ ({ columns: 2, rows: 1, hidden: [60, 0] })
    return on_wall(QUERY, FULL_HD, wall, async (pages) => {
      /** @type {Box[]} */
      const found = []
      for (const [at, page] of pages.entries()) {
        await lay(page, [[1, 1, 12, 8]], 'markers')
        await page.waitForSelector('[data-kind="markers"] canvas')
        await at_rest(page)
        const [box] = Object.values(await boxes(page, 'data-widget'))
        if (box === undefined) throw new Error('no map')
        found.push(on_whole(box, wall, at, FULL_HD))
        // Nothing is left out but by the bezel: no word about it.
        assert.equal(await page.locator('[data-notice="bezel"], [data-across]').count(), 0)
      }
      await keep(pages, 'map')
      const [left, right] = found
      assert.ok(left !== undefined && right !== undefined && is_same(left, right), JSON.stringify(found))
      assert.ok(left.left < 30 && left.right > 2 * FULL_HD.width + 30, JSON.stringify(left))
    })
  })

  await check('a wall that nobody answers says so on every monitor', () =>
    on_wall(QUERY, FULL_HD, { columns: 2, rows: 2, hidden: [24, 24] }, async (pages) => {
      for (const page of pages) {
        await page.evaluate(() => {
          ;/** @type {any} */ (globalThis).__wall.host.hangs = true
        })
      }
      for (const page of pages) {
        await page.waitForSelector('[data-notice="backend-silent"]', { timeout: 10_000 })
        await all_become(page, 'stale')
        await assert_readable(page, 1)
      }
      await keep(pages, 'silent')
    }),
  )

  await check('who looks back sees all of the page, and then the part of the present again', () =>
    on_wall(QUERY, FULL_HD, { columns: 2, rows: 1, hidden: [24, 0] }, async ([page]) => {
      if (page === undefined) throw new Error('a window')
      const own = Object.keys(await boxes(page, 'data-widget'))
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-clock]')
      assert.equal(await page.locator('main[data-part]').count(), 0)
      assert.ok(Object.keys(await boxes(page, 'data-widget')).length > own.length)
      await page.keyboard.press('Escape')
      await page.waitForSelector('main[data-part]')
      assert.deepEqual(Object.keys(await boxes(page, 'data-widget')), own)
    }),
  )

  await check('without the others a window shows the whole page again, and its part when they are back', () =>
    on_wall(QUERY, FULL_HD, { columns: 2, rows: 1, hidden: [24, 0] }, async ([left, right]) => {
      for (const [at, page] of [left, right].entries()) {
        if (page === undefined) throw new Error('two windows')
        const own = Object.keys(await boxes(page, 'data-widget'))
        await say(page, 'span: undefined')
        await page.waitForSelector('main:not([data-part])')
        // As large as before again after it had another size.
        await page.setViewportSize({ width: 1024, height: 768 })
        await part(page, { columns: 2, rows: 1, hidden: [24, 0] }, at, FULL_HD)
        await page.setViewportSize(FULL_HD)
        await page.waitForFunction(
          () => Math.round(Number.parseFloat(getComputedStyle(document.documentElement).fontSize) * 100) === 1000,
        )
        await say(page, 'span: undefined')
        await page.waitForSelector('main:not([data-part])')
        assert.ok(Object.keys(await boxes(page, 'data-widget')).length > own.length)
        assert.equal(await page.locator('h1').count(), 1)
        assert.equal(await page.locator('[data-clock]').count(), 1)
        await part(page, { columns: 2, rows: 1, hidden: [24, 0] }, at, FULL_HD)
        assert.deepEqual(Object.keys(await boxes(page, 'data-widget')), own)
      }
    }),
  )
}
