/**
 * What the page costs, as JSON lines beside a limit of the same run: `scripts/bench.sh paint bundle heap`. The page is the built one, fed
 * by the scripted host with forty widgets at each rate.
 *
 *   node tests/bench.mjs paint [--seconds 10] [--engine chromium|webkitgtk]
 *   node tests/bench.mjs bundle
 *   node tests/bench.mjs heap [--seconds 120]      an hour of the wall's time in so long
 *   node tests/bench.mjs heap --minutes 60         an hour as it goes
 */
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { FULL_HD, finish, on_page } from './page/harness.mjs'
import { DIST } from './page/served.mjs'
import { GZIP_BYTES_MAX, shipped, TILES_GZIP_BYTES_MAX } from './page/bundle.mjs'
import { slope } from './slope.mjs'
import { webkit } from './webkit.mjs'

const RATES = [100, 1_000, 10_000]
/** The page compiles, charts fill, caches warm: not measured. */
const WARM_MS = 4_000
/** What is kept has its size, whatever fills slowly is full: not measured. */
const FULL_MS = 15_000
const HOUR_MS = 3_600_000
/** Measurements of the heap. */
const SAMPLES = 40

const given = (/** @type {string} */ option) =>
  process.argv.includes(option) ? process.argv[process.argv.indexOf(option) + 1] : undefined
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Four significant digits: more would pretend. */
const round = (/** @type {number} */ value) => (Number.isFinite(value) ? Number(value.toPrecision(4)) : value)

/**
 * @param {string} bench
 * @param {string} metric
 * @param {number} value
 * @param {string} unit
 * @param {number | null} limit
 * @param {Record<string, number>} [more]
 */
function tell(bench, metric, value, unit, limit, more = {}) {
  const ratio = limit === null || limit === 0 ? null : round(value / limit)
  const line = { bench, metric, value: round(value), unit, limit: limit === null ? null : round(limit), ratio }
  console.log(
    JSON.stringify({ ...line, ...Object.fromEntries(Object.entries(more).map(([name, of]) => [name, round(of)])) }),
  )
}

/**
 * Counts for a while, in the page: refreshes of the display, frames that were painted, what kept the page from the next refresh.
 *
 * @param {number} span_ms
 */
async function watch(span_ms) {
  /** @type {number[]} */
  const refreshes = []
  /** @type {number[]} */
  const long_ms = []
  let shift = 0
  /** @type {Set<string>} */
  const versions = new Set()
  const tasks = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) long_ms.push(duration)
  })
  const shifts = new PerformanceObserver((list) => {
    for (const one of /** @type {any[]} */ (list.getEntries())) shift += one.value
  })
  const tells = PerformanceObserver.supportedEntryTypes
  if (tells.includes('longtask')) tasks.observe({ type: 'longtask' })
  if (tells.includes('layout-shift')) shifts.observe({ type: 'layout-shift' })
  const begun_ms = performance.now()
  await new Promise((resolve) => {
    const next = (/** @type {number} */ now) => {
      refreshes.push(now)
      versions.add(document.querySelector('[data-version]')?.getAttribute('data-version') ?? '')
      if (performance.now() - begun_ms < span_ms) requestAnimationFrame(next)
      else resolve(null)
    }
    requestAnimationFrame(next)
  })
  const spent_ms = performance.now() - begun_ms
  // What was a long task is told a moment later.
  await new Promise((resolve) => setTimeout(resolve, 200))
  tasks.disconnect()
  shifts.disconnect()
  const gaps = refreshes.slice(1).map((at, one) => at - (refreshes[one] ?? at))
  gaps.sort((a, b) => a - b)
  return {
    refreshes: ((refreshes.length - 1) * 1000) / spent_ms,
    painted: ((versions.size - 1) * 1000) / spent_ms,
    gap_p99_ms: gaps[Math.floor(gaps.length * 0.99)] ?? 0,
    gap_most_ms: gaps.at(-1) ?? 0,
    tells_tasks: tells.includes('longtask'),
    tells_shifts: tells.includes('layout-shift'),
    long_per_minute: (long_ms.length * 60_000) / spent_ms,
    long_most_ms: Math.max(0, ...long_ms),
    shift,
  }
}

/**
 * @param {string} engine
 * @param {import('./webkit.mjs').OnPage} on
 */
async function paint(engine, on) {
  const span_ms = Number(given('--seconds') ?? 10) * 1000
  let limit = 0
  // A wall on which nothing happens: what the display and the engine give at best.
  await on('scenario=idle&demo=no', FULL_HD, async (page) => {
    await pause(WARM_MS)
    limit = (await page.evaluate(watch, span_ms)).refreshes
  })
  for (const rate of RATES) {
    await on(`scenario=busy&rate=${String(rate)}&demo=no`, FULL_HD, async (page) => {
      await pause(WARM_MS)
      const seen = await page.evaluate(watch, span_ms)
      const say = (
        /** @type {string} */ metric,
        /** @type {number} */ value,
        /** @type {string} */ unit,
        /** @type {number | null} */ of,
      ) => {
        tell('paint', `${engine}_${metric}_at_${String(rate)}`, value, unit, of)
      }
      say('refreshes', seen.refreshes, '1/s', limit)
      say('painted', seen.painted, '1/s', 30)
      say('refresh_gap_p99', seen.gap_p99_ms, 'ms', null)
      say('refresh_gap_max', seen.gap_most_ms, 'ms', null)
      if (seen.tells_tasks) {
        say('long_tasks', seen.long_per_minute, '1/min', null)
        say('longest_task', seen.long_most_ms, 'ms', 50)
      }
      if (seen.tells_shifts) say('layout_shift', seen.shift, '', null)
    })
  }
}

async function bundle() {
  let [all, first, tiles] = [0, 0, 0]
  const index = await readFile(join(DIST, 'index.html'), 'utf8')
  for (const { name, bytes, is_tiles } of await shipped()) {
    if (is_tiles) {
      tiles += bytes
      continue
    }
    all += bytes
    // What a first value waits for: what the page names itself, and the faces.
    if (name === 'index.html' || extname(name) === '.woff2' || index.includes(name.split('/').at(-1) ?? name))
      first += bytes
  }
  tell('bundle', 'packed', all, 'byte', GZIP_BYTES_MAX)
  tell('bundle', 'packed_before_first_value', first, 'byte', GZIP_BYTES_MAX)
  tell('bundle', 'packed_tile_map', tiles, 'byte', TILES_GZIP_BYTES_MAX)
}

async function heap() {
  const minutes = given('--minutes')
  const span_ms = minutes === undefined ? Number(given('--seconds') ?? 120) * 1000 : Number(minutes) * 60_000
  const hurry = minutes === undefined ? HOUR_MS / span_ms : 1
  const measure = async (/** @type {import('playwright-core').Page} */ page) => {
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    const look = async () => {
      // Twice: what the first one finalises is free by the second.
      await session.send('HeapProfiler.collectGarbage')
      await session.send('HeapProfiler.collectGarbage')
      const { metrics } = await session.send('Performance.getMetrics')
      const of = (/** @type {string} */ name) => metrics.find((one) => one.name === name)?.value ?? 0
      return { nodes: of('Nodes'), listeners: of('JSEventListeners'), heap: of('JSHeapUsedSize') / 2 ** 20 }
    }
    await pause(FULL_MS)
    const begun_ms = performance.now()
    /** @type {{ hours: number, nodes: number, listeners: number, heap: number }[]} */
    const seen = []
    for (let one = 0; one <= SAMPLES; one += 1) {
      await pause(Math.max(0, begun_ms + (one * span_ms) / SAMPLES - performance.now()))
      seen.push({ hours: ((performance.now() - begun_ms) * hurry) / HOUR_MS, ...(await look()) })
      if (process.env['HEAP_TRACE']) console.error(JSON.stringify(seen.at(-1)))
    }
    const name = minutes === undefined ? 'hurried_hour' : 'real_time'
    for (const what of /** @type {const} */ (['nodes', 'listeners', 'heap'])) {
      const { each, low, high } = slope(seen.map((one) => [one.hours, one[what]]))
      const [first, last] = [seen[0]?.[what] ?? 0, seen.at(-1)?.[what] ?? 0]
      const unit = what === 'heap' ? 'MiB' : ''
      tell('heap', `${name}_${what}`, last, unit, first)
      tell('heap', `${name}_${what}_growth`, each, `${unit}/h`, null, { low, high })
    }
  }
  const query = `scenario=busy&rate=10000&hurry=${String(hurry)}&demo=no`
  await on_page(query, FULL_HD, measure, { notes: false })
}

/** @type {Record<string, () => Promise<void>>} */
const BENCHES = {
  paint: async () => {
    const engine = given('--engine')
    if (engine !== 'webkitgtk')
      await paint('chromium', (query, size, use) => on_page(query, size, use, { notes: false }))
    if (engine === 'chromium') return
    const browser = await webkit()
    try {
      await paint('webkitgtk', browser.on_page)
    } finally {
      await browser.close()
    }
  },
  bundle,
  heap,
}

const asked = process.argv.slice(2).filter((word) => word in BENCHES)
try {
  for (const name of asked.length === 0 ? Object.keys(BENCHES) : asked) await BENCHES[name]?.()
} finally {
  await finish(false)
}
