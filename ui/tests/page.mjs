/**
 * The built page in a browser, with the scripted host in the backend's place: what it says in every scenario, that
 * nothing is cut off or lies upon something else, that it can be read, and that it stops believing when nobody answers.
 *
 * Needs Chromium (`CHROMIUM`, default /usr/bin/chromium) and `dist`. Opens no port: the browser is handed the files.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { read_glass } from './glass.mjs'

const UI = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(UI, 'dist')
const ADDRESS = 'http://wall.test'
const GZIP_BYTES_MAX = 450 * 1024
const HEARTBEAT_MS = 1_000
// What the app allows its page. Anything that needed more would fail here.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src ipc: http://ipc.localhost"
/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2' }
const FULL_HD = { width: 1920, height: 1080 }
const ULTRA_HD = { width: 3840, height: 2160 }

let passed = 0
let failed = 0

/**
 * @param {string} name
 * @param {() => Promise<void>} what
 */
async function check(name, what) {
  const start = performance.now()
  try {
    await what()
    passed += 1
    console.log(`ok   ${name} (${Math.round(performance.now() - start)} ms)`)
  } catch (error) {
    failed += 1
    console.log(`FAIL ${name}\n${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The scripted host, standing where the runtime puts its own. */
async function backend() {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { FakeHost } from './src/host/fake'
        const host = FakeHost.from_address(location.search)
        const calls = []
        const commands = {
          next_frame: ({ after, revision, restMs }) => host.next_frame(after, revision, restMs),
          glass: ({ kind }) => host.glass(kind),
          demo_state: () => host.demo_state(),
          demo_fault: ({ name, on }) => host.demo_fault(name, on),
          demo_speed: ({ speed }) => host.demo_speed(speed),
          reconcile: () => host.reconcile(),
          demo_pause: ({ paused }) => host.demo_pause(paused),
          past_open: ({ atMs }) => host.past_open(atMs),
          past_close: () => host.past_close(),
          past_seek: ({ atMs }) => host.past_seek(atMs),
          past_play: ({ playing }) => host.past_play(playing),
          past_speed: ({ speed }) => host.past_speed(speed),
          past_stay: () => host.past_stay(),
          drill_begin: () => host.drill_begin(),
          drill_end: () => host.drill_end(),
          drill_seen: ({ seen }) => host.drill_seen(seen),
          drill_last: () => host.drill_last(),
        }
        globalThis.__wall = { host, calls }
        globalThis.__TAURI_INTERNALS__ = {
          invoke(command, args) {
            calls.push({ command, args })
            if (calls.length > 500) calls.splice(0, 100)
            return commands[command](args)
          },
        }`,
      resolveDir: UI,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  })
  return outputFiles[0].text
}

const script = await backend()
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND'],
})

/**
 * @param {string} query
 * @param {{ width: number, height: number }} size
 * @param {(page: import('playwright-core').Page) => Promise<void>} use
 */
async function on_page(query, size, use) {
  // Rows on their way would lie upon each other: this looks at where things come to rest.
  const page = await browser.newPage({ viewport: size, reducedMotion: 'reduce' })
  /** @type {string[]} */
  const faults = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  try {
    await page.addInitScript(script)
    // As the web view of a machine without a locale says.
    if (query.includes('language=C')) {
      await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C' }))
    }
    await page.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/favicon.ico') return route.fulfill({ status: 204 })
      const file = pathname === '/' ? '/index.html' : pathname
      return route.fulfill({
        body: await readFile(join(DIST, file)),
        contentType: TYPES[extname(file)] ?? 'application/octet-stream',
        headers: { 'content-security-policy': POLICY },
      })
    })
    await page.goto(`${ADDRESS}/?${query}`)
    await page.waitForSelector('[data-widget]')
    await page.waitForFunction(() =>
      [...document.querySelectorAll('[data-kind="markers"] canvas')].every(
        (canvas) => /** @type {HTMLCanvasElement} */ (canvas).width > 300,
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
const say = (page, parts) =>
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
const freshnesses = (page) =>
  page.$$eval('[data-widget]', (all) => [...new Set(all.map((one) => one.getAttribute('data-freshness')))].sort())

/**
 * @param {import('playwright-core').Page} page
 * @param {string} expected
 */
const all_become = (page, expected) =>
  page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('[data-widget]')].every((one) => one.getAttribute('data-freshness') === wanted),
    expected,
    { timeout: 6_000, polling: 50 },
  )

/**
 * @param {import('playwright-core').Page} page
 * @param {number} [texts_min]
 */
async function assert_readable(page, texts_min = 30) {
  const glass = await page.evaluate(read_glass)
  assert.ok(glass.texts >= texts_min, `only ${glass.texts} texts`)
  assert.deepEqual(glass.small, [], 'too small')
  assert.deepEqual(glass.clipped, [], 'cut off')
  assert.deepEqual(glass.overlapping, [], 'upon each other')
  assert.deepEqual(glass.faint, [], 'too little contrast')
  assert.equal(glass.scrolls, false, 'the page scrolls')
}

/**
 * What nobody knows is dashes and a reason, for every kind: not an empty list, and no age (H1).
 *
 * @param {import('playwright-core').Page} page
 */
async function assert_unknown(page) {
  const said = await page.$$eval('[data-widget]', (all) =>
    all.map((one) => ({
      kind: one.getAttribute('data-kind'),
      body: one.querySelector('.body')?.textContent?.replace(/\s+/g, ' ').trim() ?? '',
      reasons: [...one.querySelectorAll('.reason, .why')].filter((reason) => reason.checkVisibility()).length,
      ages: one.querySelectorAll('.age').length,
    })),
  )
  for (const { kind, body, reasons, ages } of said) {
    assert.ok(body.includes('----'), `${kind}: ${body}`)
    assert.doesNotMatch(body, /no rows|nothing|none yet/, `${kind} claims to be empty`)
    assert.deepEqual([reasons, ages], [1, 0], `${kind}: reasons and ages`)
  }
  assert.deepEqual([...new Set(said.map(({ kind }) => kind))].sort(), KINDS)
}

const KINDS = ['counter', 'gauge', 'log', 'markers', 'rate', 'series', 'status', 'table', 'window']

const SCENARIOS = /** @type {const} */ ([
  ['live', 'live', 'live', [FULL_HD]],
  ['flood&theme=light', 'live', 'live', [FULL_HD]],
  ['flood', 'live', 'live', [FULL_HD, ULTRA_HD]],
  ['stale', 'stale', 'live', [FULL_HD, ULTRA_HD]],
  ['stale&theme=light', 'stale', 'live', [FULL_HD]],
  ['down', 'down', 'waiting', [FULL_HD]],
  ['refused', 'refused', 'refused', [FULL_HD]],
  ['unknown', 'unknown', 'connecting', [FULL_HD]],
  ['empty&language=C', 'live', 'live', [FULL_HD]],
  ['catching-up', 'catching-up', 'live', [FULL_HD]],
  ['notices', 'live', 'live', [FULL_HD]],
  ['sources', 'live', 'live', [FULL_HD]],
  ['gaps', 'live', 'live', [FULL_HD]],
  ['orders', 'live', 'live', [FULL_HD, ULTRA_HD]],
  ['orders-down', 'down', 'waiting', [FULL_HD]],
  ['orders-catching-up', 'catching-up', 'live', [FULL_HD]],
  ['orders-unknown', 'unknown', 'connecting', [FULL_HD]],
])

try {
  const looks = SCENARIOS.flatMap(([query, freshness, phase, sizes]) =>
    sizes.map(
      (size) => () =>
        check(`${query} at ${size.width}×${size.height}: ${freshness}, whole and readable`, () =>
          on_page(`scenario=${query}`, size, async (page) => {
            await page.waitForTimeout(400)
            assert.deepEqual(await freshnesses(page), [freshness])
            assert.equal(await page.getAttribute('[data-source]', 'data-phase'), phase)
            await assert_readable(page)
            if (freshness === 'refused') {
              assert.equal(
                (await page.$$('[data-widget="departed"] [data-value]')).length,
                0,
                'a refused value is hidden',
              )
            }
            if (freshness === 'unknown') {
              assert.equal(await page.textContent('[data-kind="counter"] [data-value]'), '----')
              assert.equal(await page.getAttribute('[data-kind="counter"] [data-value]', 'data-value'), '')
              await assert_unknown(page)
            }
          }),
        ),
    ),
  )
  // Two at a time: none of these measures time.
  const lane = async () => {
    for (let look = looks.shift(); look !== undefined; look = looks.shift()) await look()
  }
  await Promise.all([lane(), lane()])

  await check('numbers, rows, tiles, points and markers can be read by a program', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await page.waitForTimeout(500)
      assert.match((await page.getAttribute('[data-widget="departed"] [data-value]', 'data-value')) ?? '', /^\d+$/)
      assert.match((await page.getAttribute('[data-widget="on-time"] [data-value]', 'data-value')) ?? '', /^0\.\d+$/)
      assert.ok((await page.$$('[data-widget="board"] [data-key]')).length > 10)
      assert.equal((await page.$$('[data-widget="airports"] [data-key][data-state]')).length, 3)
      assert.ok(Number(await page.getAttribute('[data-markers]', 'data-markers')) > 10)
      assert.equal(await page.getAttribute('[data-unplaced]', 'data-unplaced'), '1')
      assert.ok(Number(await page.getAttribute('[data-clusters]', 'data-clusters')) > 0)
      assert.match(
        (await page.getAttribute('[data-widget="delay-chart"] [data-points]', 'data-points')) ?? '',
        /^\d+ \d+ \d+$/,
      )
    }),
  )

  await check('stale is told without colour: a hatch, a word, a counting age; change and sparkline are gone', () =>
    on_page('scenario=stale', FULL_HD, async (page) => {
      const age = () => page.textContent('[data-widget="departed"] .age')
      const before = await age()
      assert.equal((await page.$$('[data-hatch]')).length, (await page.$$('[data-widget]')).length)
      assert.equal((await page.$$('[data-change], .spark')).length, 0)
      await page.waitForTimeout(1_300)
      assert.notEqual(await age(), before)
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0)
    }),
  )

  await check('what may be incomplete says so: a count by ≥, gauges, rows and means by a mark', () =>
    on_page('scenario=gaps', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const marked = await page.$$eval('[data-widget]', (all) =>
        all.map((one) => [
          one.getAttribute('data-kind'),
          one.querySelector('.least') !== null,
          one.querySelector('[data-lacks]')?.getAttribute('data-lacks') ?? null,
        ]),
      )
      assert.match((await page.textContent('[data-source]')) ?? '', /lost 3 times in 24 h, the last: filled by replay/)
      for (const [kind, least, lacks] of marked) {
        assert.equal(least, kind === 'counter', `≥ at a ${kind}`)
        if (['counter', 'series'].includes(String(kind))) assert.equal(lacks, null, `mark at a ${kind}`)
        else assert.match(String(lacks), /^since \d\d:\d\d:\d\d$/, `mark at a ${kind}`)
      }
    }),
  )

  await check('a number that two sources give differently shows both, and says so without colour', () =>
    on_page('scenario=disputed', FULL_HD, async (page) => {
      await page.waitForSelector('[data-agreement="disputed"]')
      for (const panel of await page.$$('[data-agreement="disputed"]')) {
        assert.match((await panel.textContent()) ?? '', /disputed/i)
        const said = await panel.$$eval('[data-says]', (all) =>
          all.map((one) => [
            one.getAttribute('data-name'),
            Number(one.querySelector('[data-value]')?.getAttribute('data-value')),
          ]),
        )
        assert.deepEqual(
          said.map(([name]) => name),
          ['Gate system', 'Radar'],
        )
        assert.equal(Math.round(Number(said[1]?.[1]) - Number(said[0]?.[1])), 17)
        assert.equal((await panel.$$('.spark, [data-change]')).length, 0)
      }
      const unchecked = await page.$$eval('[data-agreement="unchecked"]', (all) =>
        all.map((one) => one.querySelector('[data-lacks]')?.getAttribute('data-lacks')),
      )
      assert.ok(unchecked.length > 0)
      assert.ok(unchecked.every((text) => text === 'not compared'))
      await assert_readable(page, 5)
    }),
  )

  for (const size of [FULL_HD, ULTRA_HD]) {
    await check(`a board of one counter fills the screen at ${size.width}×${size.height}`, () =>
      on_page('scenario=one', size, async (page) => {
        await all_become(page, 'live')
        await assert_readable(page, 5)
        const panel = await page.locator('[data-widget]').boundingBox()
        const digits = await page.locator('[data-widget] .value').boundingBox()
        assert.ok(panel !== null && panel.width > size.width * 0.95 && panel.height > size.height * 0.8)
        assert.ok(digits !== null && digits.height > size.height * 0.35, `digits are ${digits?.height} px high`)
      }),
    )
  }

  await check('what overflows in the title keeps its descenders', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      const line = await page.$eval('h1', (one) => one.clientHeight / Number.parseFloat(getComputedStyle(one).fontSize))
      assert.ok(line >= 1.17, `a line of ${line} em`)
    }),
  )

  await check('the end of a long notice can be read', () =>
    on_page('scenario=notices', FULL_HD, async (page) => {
      assert.match((await page.textContent('[data-notice="board"]')) ?? '', /did you mean `counter`\?\s*$/)
    }),
  )

  await check(
    'where the web view does not know the board’s time zone, the clock says UTC and a notice stays (H1)',
    () =>
      on_page('scenario=notices&timezone=America/Gotham', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const notice = await page.textContent('[data-notice="time-zone"]')
        assert.match(notice ?? '', /All times are UTC.*does not know the time zone America\/Gotham.*Update/s)
        assert.match((await page.textContent('.clock .time')) ?? '', /^\d\d:\d\d\s*UTC$/)
        // The notices of the backend stand as well.
        assert.equal((await page.$$('[data-notice]')).length, 3)
        await assert_readable(page)
        await page.keyboard.press('b')
        await page.waitForSelector('[data-past-bar]')
        assert.match((await page.textContent('[data-past-clock]')) ?? '', /^\s*\d\d:\d\d:\d\d\s*UTC\s*$/)
        assert.equal((await page.$$('[data-notice="time-zone"]')).length, 1)
      }),
  )

  await check('a zone that is known says nothing of itself', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.equal(await page.$('[data-zone], [data-notice]'), null)
    }),
  )

  for (const age_ms of [4_000, 11_000, 45_000, 125_000, 3_540_000, 90_000_000]) {
    for (const scenario of ['down', 'stale', 'catching-up', 'refused']) {
      await check(`${scenario} for ${age_ms / 1000} s is said whole in the lowest panels, in two lines`, () =>
        on_page(`scenario=${scenario}&age=${age_ms}`, FULL_HD, async (page) => {
          await all_become(page, scenario)
          await assert_readable(page)
          const said = await page.$$eval('.single .what', (all) =>
            all.map((what) => {
              const box = (/** @type {string} */ part) => what.querySelector(part)?.getBoundingClientRect()
              const [own, word, age, mark] = [what.getBoundingClientRect(), box('b'), box('.age'), box('svg')]
              return { own, word, age, mark, long: what.querySelector('.age.long') !== null }
            }),
          )
          assert.equal(said.length, 8)
          for (const { own, word, age, mark, long } of said) {
            assert.ok(word && age && mark && mark.width > 10 && mark.height > 10)
            for (const part of [word, age, mark]) {
              assert.ok(part.left >= own.left && part.right <= own.right + 0.5, 'within its place')
              assert.ok(part.top >= own.top - 0.5 && part.bottom <= own.bottom + 0.5, 'within its place')
            }
            const [upper, lower] = scenario === 'catching-up' ? [age, word] : [word, age]
            assert.ok(lower.top >= upper.bottom - 3, 'one below the other')
            if (scenario !== 'catching-up' && !long) assert.equal(age.left, word.left, 'in line')
          }
        }),
      )
    }
  }

  await check('a gauge of any size has a figure that can be read, live or not, and its note gives way first', () =>
    on_page('scenario=gauge', FULL_HD, async (page) => {
      const faults = []
      for (const fault of [null, 'cut']) {
        await page.evaluate((name) => {
          // @ts-expect-error the scripted host stands there
          if (name !== null) return globalThis.__wall.host.demo_fault(name, true)
        }, fault)
        await all_become(page, fault === null ? 'live' : 'down')
        for (const width of [24, 26, 30, 36, 40, 54]) {
          for (let height = 12; height <= 40; height += height < 24 ? 1 : 4) {
            const found = await page.evaluate(async ([wide, high]) => {
              const section = /** @type {HTMLElement} */ (document.querySelector('[data-kind="gauge"]'))
              Object.assign(section.style, { width: `${wide}rem`, height: `${high}rem` })
              for (let frames = 0; frames < 4; frames += 1) await new Promise(requestAnimationFrame)
              const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
              const size = (/** @type {string} */ part) => {
                const one = section.querySelector(part)
                return one?.checkVisibility() === true ? Number.parseFloat(getComputedStyle(one).fontSize) / rem : 0
              }
              const box = (/** @type {string} */ part) => section.querySelector(part)?.getBoundingClientRect()
              const [panel, value] = [box('.panel'), box('.figure .value')]
              const within =
                panel !== undefined &&
                value !== undefined &&
                value.left >= panel.left &&
                value.right <= panel.right &&
                value.top >= panel.top - 1 &&
                value.bottom <= panel.bottom + 1
              const shown = ['.note', '.ends', '.scale > svg'].map((part) => size(part) > 0)
              return { figure: size('.figure'), title: size('.name'), within, shown }
            }, /** @type {const} */ ([width, height]))
            const { figure, title, within, shown } = found
            const said = `${fault ?? 'live'} ${width}×${height}: ${JSON.stringify(found)}`
            if (figure < 2.5 || figure < title || !within) faults.push(said)
            if (height > 15 && figure < 4) faults.push(said)
            const [note, ends, bar] = shown
            if (height > 15 && fault === null && ((note && !ends) || (ends && !bar))) faults.push(said)
          }
        }
      }
      assert.deepEqual(faults, [])
    }),
  )

  await check(
    'a host that stops answering makes everything stale within two heartbeats, by the page’s own clock; then live again',
    () =>
      on_page('scenario=live', FULL_HD, async (page) => {
        await all_become(page, 'live')
        // Both instants by the page's own clock: a busy machine's errands are not the page's delay.
        const took_ms = await page.evaluate(async () => {
          // @ts-expect-error the scripted host stands there
          const { host } = globalThis.__wall
          host.hangs = true
          const live = () => document.querySelector('[data-widget]:not([data-freshness="stale"])') !== null
          while (live()) await new Promise((resolve) => setTimeout(resolve, 10))
          return performance.now() - host.answered_ms
        })
        assert.ok(took_ms > HEARTBEAT_MS && took_ms < 3 * HEARTBEAT_MS, `took ${took_ms} ms`)
        await page.waitForTimeout(100)
        const beat = () => page.getAttribute('[data-proof-of-life]', 'data-proof-of-life')
        const stood = await beat()
        await assert_readable(page)
        assert.ok((await page.textContent('[data-notice="backend-silent"]'))?.includes('does not answer'))
        await page.waitForTimeout(1_200)
        assert.equal(await beat(), stood)
        await page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          globalThis.__wall.host.hangs = false
        })
        await all_become(page, 'live')
        assert.equal((await page.$$('[data-notice="backend-silent"]')).length, 0)
      }),
  )

  await check('a hidden glass asks for nothing, and for everything when it is seen again', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      /** @param {boolean} hidden */
      const set_hidden = (hidden) =>
        page.evaluate((value) => {
          Object.defineProperty(document, 'hidden', { value, configurable: true })
          document.dispatchEvent(new Event('visibilitychange'))
          // @ts-expect-error the scripted host stands there
          return globalThis.__wall.calls.length
        }, hidden)
      /** @param {number} from */
      const calls_since = (from) =>
        page.evaluate((at) => {
          // @ts-expect-error the scripted host stands there
          return /** @type {{ command: string, args: any }[]} */ (globalThis.__wall.calls.slice(at)).filter(
            ({ command }) => command !== 'demo_state',
          )
        }, from)
      const hidden_at = await set_hidden(true)
      await page.waitForTimeout(600)
      assert.deepEqual(await calls_since(hidden_at), [])
      const seen_at = await set_hidden(false)
      await page.waitForTimeout(300)
      const calls = await calls_since(seen_at - 2)
      assert.equal(calls.find(({ command }) => command === 'next_frame')?.args.after, 0)
      assert.equal(calls.find(({ command }) => command === 'glass')?.args.kind, 'visible')
    }),
  )

  await check('a key lists the lost links with their cause and end, within the glass, and takes the list away', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      assert.equal(await page.$('[data-history]'), null)
      await page.keyboard.press('l')
      const rows = await page.$$eval('[data-history] tr', (all) =>
        all.map((row) => [row.getAttribute('data-became'), row.textContent]),
      )
      assert.equal(rows.length, 16)
      assert.equal(rows[1]?.[0], 'unknown')
      assert.match(rows[1]?.[1] ?? '', /30 min 0 s.*nothing heard for 5 s.*events missing/s)
      const box = await (await page.$('[data-history]'))?.boundingBox()
      assert.ok(
        box && box.x >= 0 && box.y + box.height <= FULL_HD.height && box.x + box.width <= FULL_HD.width,
        JSON.stringify(box),
      )
      await page.keyboard.press('Escape')
      assert.equal(await page.$('[data-history]'), null)
    }),
  )

  await check('R in the list of lost links asks for a comparison with the server, and says what was refused', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const asked = () =>
        page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          const calls = /** @type {{ command: string, args: unknown }[]} */ (globalThis.__wall.calls)
          return calls.filter(({ command }) => command === 'reconcile').map(({ args }) => args)
        })
      await page.keyboard.press('r')
      assert.deepEqual(await asked(), [], 'the key means nothing without the list')
      await page.keyboard.press('l')
      assert.match((await page.textContent('[data-history] [data-compare]')) ?? '', /compare with the server now R/)
      await page.keyboard.press('r')
      assert.deepEqual(await asked(), [{}], 'one question, about every source')
      await page.keyboard.press('Shift+R')
      await page.keyboard.press('Control+Shift+ArrowRight')
      assert.equal((await asked()).length, 2)
      await page.evaluate(() => {
        // @ts-expect-error the scripted host stands there
        globalThis.__wall.host.reconcile = () => Promise.reject(new Error('no wall runs'))
      })
      await page.click('[data-compare]')
      await page.waitForFunction(() => document.querySelector('[data-history]')?.textContent?.includes('no wall runs'))
      await page.keyboard.press('l')
      await page.keyboard.press('r')
      assert.equal((await asked()).length, 3, 'the list is gone, and with it the key')
    }),
  )

  await check(
    'a source that was lost twice at one instant stands twice in the list, however often that comes (H7)',
    () =>
      on_page('', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const rows = () => page.$$eval('[data-history] tr', (all) => all.map((row) => row.getAttribute('data-became')))
        await say(page, `outages: [one({ cause: 'red' }), one({ cause: 'blue', became: 'unknown' })]`)
        await page.keyboard.press('l')
        await page.waitForFunction(() => document.querySelectorAll('[data-history] tr').length === 2)
        assert.deepEqual(await rows(), ['proven', 'unknown'])
        await say(page, `outages: [one({}), one({}), one({ became: 'snapshot' })]`)
        await page.waitForFunction(() => document.querySelectorAll('[data-history] tr').length === 3)
        assert.deepEqual(await rows(), ['proven', 'proven', 'snapshot'])
        assert.deepEqual(await freshnesses(page), ['live'])
      }),
  )

  await check('a part that can’t be drawn says so, stops no other, and comes back (H7)', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('l')
      await page.waitForSelector('[data-history]')
      for (const [name, said, there] of /** @type {const} */ ([
        ['the history of links', `outages: [bad(one({}), 'cause')]`, '[data-history] tr'],
        ['the head line', `sources: frame.sources.map((source) => bad(source, 'words'))`, 'header [data-source]'],
        [
          'what has to be noticed',
          `notices: [Object.assign(bad({}, 'text'), { id: 'odd', state: 'alarm', detail: [], toJSON: () => Math.random() })]`,
          '',
        ],
      ])) {
        await say(page, said)
        const words = await page.waitForSelector(`[data-undrawn="${name}"]`)
        assert.match((await words.textContent()) ?? '', /cannot be drawn: bad/)
        await page.waitForTimeout(1_500)
        assert.equal(await page.getAttribute('[data-undrawn]', 'data-undrawn'), name, 'only that')
        assert.deepEqual(await freshnesses(page), ['live'])
        await say(page, 'outages: [one({})]')
        await page.waitForSelector('[data-undrawn]', { state: 'detached' })
        if (there !== '') await page.waitForSelector(there)
      }
    }),
  )

  await check('a chart whose key holds a line break is drawn, and no error of it stays (H1)', () =>
    on_page('', FULL_HD, async (page) => {
      await all_become(page, 'live')
      const chart = (/** @type {string} */ keys) =>
        say(
          page,
          `widgets: frame.widgets.map((one) => one.id !== 'delay-chart' ? one : { ...one, value: { kind: 'series', whole: true,
            lines: ${keys}.map((key, at) => ({ key, points: [[frame.clock.board_ms - 3600000, at + 1]] })), gaps: [] } })`,
        )
      const drawn = (/** @type {string} */ value) =>
        page.waitForSelector(`[data-widget="delay-chart"][data-freshness="live"] [data-value="${value}"]`)
      await chart(`['A\\nB', 'C']`)
      await drawn('1 2')
      await page.waitForTimeout(500)
      assert.deepEqual(await freshnesses(page), ['live'])
      assert.equal((await page.$$('[data-undrawn]')).length, 0)
      await page.waitForSelector('[data-widget="delay-chart"] canvas')
      // A key that can't be drawn: the plot comes back with the next one that can.
      await chart(`[{ toJSON() { throw new Error('bad') } }, 'C']`)
      await page.waitForSelector('[data-widget="delay-chart"][data-freshness="stale"] [data-undrawn]')
      await chart(`['C']`)
      await drawn('1')
      await page.waitForSelector('[data-widget="delay-chart"] canvas')
      assert.equal((await page.$$('[data-undrawn]')).length, 0)
    }),
  )

  await check(
    'a widget that can’t be drawn is not live, nor counted as such, until another value can be drawn (H1)',
    () =>
      on_page('', FULL_HD, async (page) => {
        await all_become(page, 'live')
        const count = () => page.getAttribute('.count', 'data-live')
        assert.equal(await count(), '16')
        const tiles = `widgets: frame.widgets.map((one) => (one.id === 'airports' ? { ...one, value: status() } : one))`
        await say(
          page,
          tiles.replace('status()', `{ ...status(), tiles: status().tiles.map((tile) => bad(tile, 'text')) }`),
        )
        const panel = '[data-widget="airports"]'
        await page.waitForSelector(`${panel}[data-freshness="stale"] [data-undrawn]`)
        assert.match((await page.textContent(panel)) ?? '', /cannot be drawn: bad/)
        assert.equal((await page.$$(`${panel} .what svg.live, ${panel} [data-key]`)).length, 0)
        // It is tried again with each value, and never taken for live on the way.
        const live = await page.evaluate(async () => {
          let live = 0
          for (let frames = 0; frames < 60; frames += 1) {
            await new Promise(requestAnimationFrame)
            live += document.querySelectorAll('[data-widget="airports"][data-freshness="live"]').length
          }
          return live
        })
        assert.equal(live, 0)
        assert.equal(await count(), '15')
        await assert_readable(page)
        await say(page, tiles)
        await page.waitForSelector(`${panel}[data-freshness="live"] [data-key]`)
        assert.equal((await page.$$('[data-undrawn]')).length, 0)
        assert.equal(await count(), '16')
      }),
  )

  await check(
    'a frame that can’t be drawn leaves nothing live, says so, and everything is asked for again (H1, H7)',
    () =>
      on_page('', FULL_HD, async (page) => {
        await all_become(page, 'live')
        await say(page, `notices: bad({}, 'toJSON')`)
        await all_become(page, 'stale')
        await page.waitForTimeout(700)
        assert.match((await page.textContent('[data-notice="backend-silent"]')) ?? '', /WALL FROZEN.*cannot be drawn/s)
        assert.equal(await page.getAttribute('.count', 'data-live'), '0')
        assert.deepEqual(await freshnesses(page), ['stale'], 'an answer alone makes nothing live')
        await assert_readable(page)
        const asked = await page.evaluate(() => {
          // @ts-expect-error the scripted host stands there
          const calls = /** @type {{ command: string, args: any }[]} */ (globalThis.__wall.calls)
          return calls.findLast(({ command }) => command === 'next_frame')?.args.after
        })
        assert.equal(asked, 0)
        await say(page, '')
        await all_become(page, 'live')
        assert.equal((await page.$$('[data-notice="backend-silent"]')).length, 0)
      }),
  )

  for (const scenario of ['live', 'orders', 'pair']) {
    await check(`${scenario}: a number keeps its size when its link goes and comes back`, () =>
      on_page(`scenario=${scenario}`, FULL_HD, async (page) => {
        const sizes = () =>
          page.$$eval('[data-widget] .figure', (all) =>
            all.map((one) => Math.round(Number.parseFloat(getComputedStyle(one).fontSize))),
          )
        await all_become(page, 'live')
        await page.waitForTimeout(300)
        const live = await sizes()
        for (const [fault, freshness] of /** @type {const} */ ([
          ['cut', 'down'],
          ['freeze', 'stale'],
        ])) {
          /** @param {boolean} on */
          const pull = (on) =>
            page.evaluate(([name, is_on]) => {
              // @ts-expect-error the scripted host stands there
              return globalThis.__wall.host.demo_fault(name, is_on)
            }, /** @type {const} */ ([fault, on]))
          await pull(true)
          await all_become(page, freshness)
          await page.waitForTimeout(200)
          assert.deepEqual(await sizes(), live, freshness)
          await pull(false)
          await all_become(page, 'live')
        }
      }),
    )
  }

  await check('what may be incomplete says since when wherever that fits, and the history opens by a click', () =>
    on_page('scenario=orders', FULL_HD, async (page) => {
      await all_become(page, 'live')
      for (const id of ['big', 'lanes', 'open', 'log', 'vans']) {
        assert.match((await page.textContent(`[data-widget="${id}"] [data-lacks]`)) ?? '', /^since \d\d:\d\d:\d\d$/)
      }
      await page.click('[data-lost]')
      await page.waitForSelector('[data-history]')
    }),
  )

  await check('looking back is unmistakable, goes where a hand wants, and leaves nothing behind', () =>
    on_page('scenario=past', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.click('[data-past-open]')
      await page.waitForSelector('[data-past-bar]')
      const at = async () => Number(await page.getAttribute('[data-past-bar]', 'data-past-at'))
      const bar = (/** @type {'playing' | 'pace'} */ name) => page.getAttribute('[data-past-bar]', `data-${name}`)
      const until = async (/** @type {() => Promise<boolean>} */ is_so) => {
        for (const begun_ms = performance.now(); !(await is_so()); await page.waitForTimeout(50)) {
          assert.ok(performance.now() - begun_ms < 10_000, `not so within 10 s: ${is_so}; it is at ${await at()}`)
        }
      }
      // The frame goes all around, the mark is on the glass, and the clock is the record's.
      const frame = await page.locator('[data-past-frame]').boundingBox()
      assert.deepEqual(frame, { x: 0, y: 0, width: FULL_HD.width, height: FULL_HD.height })
      const border = await page.$eval('[data-past-frame]', (one) => getComputedStyle(one).borderTopWidth)
      assert.ok(Number.parseFloat(border) >= 10, border)
      assert.match((await page.textContent('[data-past-watermark]')) ?? '', /RECORDING · \d+ \w+ \d\d:\d\d:\d\d/)
      assert.match((await page.textContent('.clock')) ?? '', /RECORDING/)
      assert.equal(Number(await page.getAttribute('[data-past-clock]', 'data-past-clock')), await at())
      assert.match((await page.textContent('.count')) ?? '', /were live/)
      assert.equal(await page.textContent('[data-past-live]'), 'LIVE: all 16 live')
      const words = await page.$$eval('[data-quality] b', (all) => [...new Set(all.map((one) => one.textContent))])
      assert.deepEqual(words, ['was live'], 'no widget says that it is live')
      const box = await page.locator('[data-past-bar]').boundingBox()
      assert.ok(box !== null && box.y + box.height <= FULL_HD.height && box.width <= FULL_HD.width)
      const overflow = await page.$eval('[data-past-bar]', (one) => one.scrollWidth - one.clientWidth)
      assert.ok(overflow <= 0, `${overflow} px of the bar are outside`)
      // Where the hands go.
      const begun = await at()
      await page.keyboard.press('ArrowLeft')
      await until(async () => (await at()) === begun - 10_000)
      await page.keyboard.press('Shift+ArrowRight')
      await until(async () => (await at()) === begun + 50_000)
      await page.keyboard.press('[')
      await until(async () => (await at()) < begun - 230_000)
      await page.click('[data-past-timeline]')
      await until(async () => Math.abs((await at()) - (begun - 3_540_000)) < 60_000)
      await page.click('[data-past-pace="60"]')
      await page.keyboard.press(' ')
      await until(async () => (await bar('playing')) === 'true')
      const playing = await at()
      await until(async () => (await at()) > playing + 20_000)
      await page.click('[data-past-play="back"]')
      await until(async () => (await bar('pace')) === '-60')
      assert.equal(await page.$('[data-faults]'), null, 'the knobs of the present are away')
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-past-bar]', { state: 'detached' })
      assert.equal(await page.$('[data-past-watermark], [data-past-frame]'), null)
      assert.match((await page.textContent('.count')) ?? '', /16 of 16\s+live/)
      await all_become(page, 'live')
    }),
  )

  await check('a record that is not whole says so in words, and the present is heard from its corner', () =>
    on_page('scenario=past-odd&theme=light', FULL_HD, async (page) => {
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-said]')
      const said = (await page.textContent('[data-past-said]')) ?? ''
      assert.match(said, /RECORD CHANGED OR DAMAGED.*NOT SEEN/s)
      assert.equal(await page.textContent('[data-past-live].unwell'), 'LIVE: 2 down of 16')
      // Lying upon everything is what a watermark is for.
      await page.$eval('[data-past-watermark]', (one) => {
        ;/** @type {HTMLElement} */ (one).style.display = 'none'
      })
      await assert_readable(page)
    }),
  )

  await check('what can’t be looked back at is said, and the present stays', () =>
    on_page('scenario=one', FULL_HD, async (page) => {
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-refused]')
      assert.equal(await page.$('[data-past-bar]'), null)
    }),
  )

  /** @param {import('playwright-core').Page} page */
  const drill_seen = (page) =>
    page.evaluate(() => {
      // @ts-expect-error the scripted host stands there
      const all = globalThis.__wall.host.drill?.seen ?? []
      return /** @type {import('../src/generated/frame').GlassSeen[]} */ (all)
    })

  /**
   * @param {import('playwright-core').Page} page
   * @param {number} step
   * @param {(seen: import('../src/generated/frame').GlassSeen) => boolean} is_so
   */
  const saw = async (page, step, is_so) => {
    for (const begun_ms = performance.now(); ; await page.waitForTimeout(30)) {
      const said = (await drill_seen(page)).filter((seen) => seen.step === step)
      const found = said.find(is_so)
      if (found !== undefined) return found
      const last = JSON.stringify(said.at(-1), null, 1)
      assert.ok(performance.now() - begun_ms < 8_000, `step ${step} within 8 s: ${is_so}; it said ${last}`)
    }
  }

  for (const [query, size] of /** @type {const} */ ([
    ['live', FULL_HD],
    ['live&theme=light', ULTRA_HD],
  ])) {
    await check(`a lamp test is unmistakable, says what is on the glass, and ends by itself (${query})`, () =>
      on_page(`scenario=${query}`, size, async (page) => {
        await all_become(page, 'live')
        await page.keyboard.press('l')
        assert.match((await page.textContent('[data-drill-begin]')) ?? '', /lamp test: never done/)
        await page.keyboard.press('l')
        await page.keyboard.press('t')
        await page.waitForSelector('[data-drill-band]')
        assert.match(
          (await page.textContent('[data-drill-band]')) ?? '',
          /DRILL · step 1 of 5: baseline · values are a copy/,
        )
        assert.equal(await page.textContent('[data-drill-live]'), 'LIVE: all 16 live')
        const frame = await page.locator('[data-drill-frame]').boundingBox()
        assert.deepEqual(frame, { x: 0, y: 0, width: size.width, height: size.height })
        assert.equal(await page.$('[data-faults]'), null, 'the knobs of the present are away')
        await assert_readable(page)
        const live = await saw(page, 1, (seen) => seen.band && seen.widgets.length === 16)
        for (const one of live.widgets) {
          const { freshness, mark, value, hatch, edge } = one
          assert.deepEqual(
            { freshness, mark, value, hatch, edge },
            { freshness: 'live', mark: true, value: true, hatch: false, edge: false },
            one.id,
          )
        }
        const down = await saw(page, 2, (seen) => seen.widgets.every((one) => one.freshness === 'down'))
        for (const one of down.widgets)
          assert.deepEqual(
            [one.mark, one.word.toLowerCase(), one.hatch, one.edge, one.value],
            [true, 'down', true, true, true],
            one.id,
          )
        assert.match(down.sources[0]?.words ?? '', /connection broken/)
        const refused = await saw(page, 3, (seen) => seen.widgets.every((one) => one.freshness === 'refused'))
        for (const one of refused.widgets)
          assert.deepEqual(
            [one.mark, one.word.toLowerCase(), one.edge, one.value],
            [true, 'refused', true, false],
            one.id,
          )
        const silent = await saw(
          page,
          4,
          (seen) => seen.silent && seen.widgets.every((one) => one.freshness === 'stale'),
        )
        assert.ok(silent.widgets.every((one) => one.mark && one.hatch && one.edge))
        const stood = page.evaluate(
          () =>
            new Promise((resolve) => {
              let last = performance.now()
              let longest = 0
              const timer = setInterval(() => {
                longest = Math.max(longest, performance.now() - last)
                last = performance.now()
                if (longest > 900) {
                  clearInterval(timer)
                  resolve(longest)
                }
              }, 20)
            }),
        )
        assert.ok(Number(await stood) < 1_900, 'it stands still once, as long as it is told')
        await page.waitForSelector('[data-drill-band]', { state: 'detached', timeout: 8_000 })
        assert.equal(await page.$('[data-drill-frame]'), null)
        await all_become(page, 'live')
        await page.keyboard.press('l')
        await page.waitForFunction(() =>
          /lamp test: 5 passed, \d+ s ago/.test(document.querySelector('[data-drill-begin]')?.textContent ?? ''),
        )
      }),
    )
  }

  await check('a lamp test finds what can’t be seen, and ends by a key', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await all_become(page, 'live')
      await page.keyboard.press('t')
      await saw(page, 1, (seen) => seen.band)
      const hide = (/** @type {string} */ selector, /** @type {string} */ name, /** @type {string} */ value) =>
        page.evaluate(([where, what, how]) => {
          for (const one of document.querySelectorAll(where))
            /** @type {HTMLElement} */ (one).style.setProperty(what, how)
        }, /** @type {const} */ ([selector, name, value]))
      for (const [selector, name, value, part] of /** @type {const} */ ([
        ['[data-widget="departed"] .what > svg', 'opacity', '0', 'mark'],
        ['[data-widget="departed"] .what > svg', 'width', '2px', 'mark'],
        ['[data-widget="departed"] .what > svg', 'margin-left', '-60rem', 'mark'],
        ['[data-widget="departed"] .figure', 'zoom', '0.2', 'value'],
        ['[data-widget="wind"] .box', 'height', '0.4rem', 'value'],
        ['[data-widget="departed"] .body', 'visibility', 'hidden', 'value'],
        ['[data-widget="departed"] .body', 'transform', 'translateX(-4000px)', 'value'],
      ])) {
        await hide(selector, name, value)
        const looks_at = (await drill_seen(page)).length
        for (const begun_ms = performance.now(); ; await page.waitForTimeout(30)) {
          const newer = (await drill_seen(page)).slice(looks_at).at(-1)
          if (newer?.widgets.find(({ id }) => selector.includes(`"${id}"`))?.[part] === false) break
          assert.ok(performance.now() - begun_ms < 1_400, `${name} of ${selector} is not found`)
        }
        await hide(selector, name, '')
      }
      await page.keyboard.press('Escape')
      await page.waitForSelector('[data-drill-band]', { state: 'detached' })
      await all_become(page, 'live')
      await page.keyboard.press('b')
      await page.waitForSelector('[data-past-bar]')
      await page.keyboard.press('t')
      await page.waitForTimeout(300)
      assert.equal(await page.$('[data-drill-band]'), null, 'not while the past is shown')
    }),
  )

  await check('a lamp test that can’t be done is refused in words', () =>
    on_page('scenario=down', FULL_HD, async (page) => {
      await page.keyboard.press('t')
      await page.waitForSelector('[data-drill-refused]')
      assert.equal(await page.$('[data-drill-band]'), null)
    }),
  )

  await check('keys pull the demo’s faults and the panel says which', () =>
    on_page('scenario=live', FULL_HD, async (page) => {
      await page.waitForSelector('[data-faults]')
      await page.keyboard.press('f')
      await page.waitForSelector('[data-faults="open"]')
      assert.equal((await page.$$('[data-fault]')).length, 5)
      await page.keyboard.press('1')
      await page.waitForSelector('[data-fault="cut"][data-on="true"]')
      assert.match((await page.textContent('.handle')) ?? '', /close · cable cut/)
      await all_become(page, 'down')
      await page.keyboard.press('1')
      await all_become(page, 'live')
      await page.click('[data-fault="freeze"]')
      await all_become(page, 'stale')
    }),
  )

  await check(`the bundle is at most ${GZIP_BYTES_MAX} bytes packed and holds no scripted host`, async () => {
    let bytes = 0
    for (const name of await readdir(DIST, { recursive: true })) {
      if (extname(name) === '') continue
      const content = await readFile(join(DIST, name))
      // Faces are packed already; gzip doesn't make them smaller.
      bytes += Math.min(content.length, gzipSync(content).length)
      assert.ok(!content.includes('San Francisco') || name.includes('map'), `${name} holds the made-up day`)
      assert.ok(!content.includes('FakeHost'), `${name} holds the scripted host`)
    }
    console.log(`     ${bytes} bytes`)
    assert.ok(bytes <= GZIP_BYTES_MAX, `${bytes} bytes`)
  })
} finally {
  await browser.close()
}

console.log(`page: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
