/**
 * The built page in a browser, with the scripted host in the backend's place: what it says in every scenario, that
 * nothing is cut off or lies upon something else, that it can be read, and that it stops believing when nobody answers.
 *
 * Needs Chromium (`CHROMIUM`, or else /usr/bin/chromium-headless-shell where it is, which is quicker, and /usr/bin/chromium) and the built page (`DIST`, default `dist`). Opens no port: the browser is handed the files.
 *
 *   node tests/page.mjs [SUBJECT…]
 *
 * Without a subject all of them, each in a process of its own, and the quick part of the case sheet, of what looks without a cone and of
 * the deliberate defects.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { alarm_list } from './page/alarm-list.mjs'
import { alarm_rows } from './page/alarm-rows.mjs'
import { alarms } from './page/alarms.mjs'
import { alarms_past } from './page/alarms-past.mjs'
import { aloud } from './page/aloud.mjs'
import { broken } from './page/broken.mjs'
import { bundle } from './page/bundle.mjs'
import { chart } from './page/chart.mjs'
import { demo } from './page/demo.mjs'
import { desk } from './page/desk.mjs'
import { drill } from './page/drill.mjs'
import { history } from './page/history.mjs'
import { keys } from './page/keys.mjs'
import { looks } from './page/looks.mjs'
import { night } from './page/night.mjs'
import { numbers } from './page/numbers.mjs'
import { pages } from './page/pages.mjs'
import { past } from './page/past.mjs'
import { pseudo } from './page/pseudo.mjs'
import { reports } from './page/reports.mjs'
import { shift } from './page/shift.mjs'
import { sight } from './page/sight.mjs'
import { silence } from './page/silence.mjs'
import { span } from './page/span.mjs'
import { still } from './page/still.mjs'
import { tiles } from './page/tiles.mjs'
import { words } from './page/words.mjs'
import { zoom } from './page/zoom.mjs'
import { fences } from './page/fences.mjs'
import { furniture } from './page/furniture.mjs'
import { finish } from './page/harness.mjs'

const SUBJECTS = {
  // The longest first: a long one at the end would be waited for alone.
  ...{ pseudo, tiles, span, looks, night, numbers, sight, silence, history, broken, past, pages, drill, demo, still },
  ...{ alarms, alarm_list, alarm_rows, alarms_past, reports },
  ...{ aloud, keys, desk, chart, shift, zoom, words, furniture, fences, bundle },
}
/** What is a program of its own, with a quick part. */
const LOOKS = ['sheet', 'defects', 'blind']
/** Pages wait more than they draw: each subject has a process and a browser of its own, so many at once. */
const AT_ONCE = 3

/** Told once more at the end: a long output is read from there. @type {string[]} */
const failures = []

/** What failed beside others: by itself it is seen whether it was late. @type {string[]} */
const again = []

/**
 * A subject, or one of the looks, in a process of its own. What it says is shown when it ends.
 *
 * @param {string} name
 * @param {boolean} is_alone
 */
async function apart(name, is_alone) {
  const [file, argument] = LOOKS.includes(name) ? [`${name}.mjs`, '--quick'] : ['page.mjs', name]
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await text(child.stdout)
  const [, passed, failed] = /^page: (\d+) passed, (\d+) failed\n$/m.exec(said) ?? []
  const shown = said.replace(/^page: .*\n/m, '')
  if (failed !== '0' && !is_alone) {
    again.push(name)
    process.stdout.write(shown.replace(/^(?=.)/gm, '| '))
    return { passed: 0, failed: 0 }
  }
  failures.push(...(said.match(/^FAIL .*$/gm) ?? []).map((line) => `${name}: ${line}`))
  process.stdout.write(shown)
  // One that ends without its count has failed, whatever it has shown until then.
  if (failed === undefined) console.log(`FAIL ${name}: it ended before its end`)
  return { passed: Number(passed ?? 0), failed: Number(failed ?? 1) }
}

/** Draws by WebGL in software, which takes all of the machine: beside others it would be waited for without end. */
const ALONE = 'tiles'

async function all_apart() {
  const sum = { passed: 0, failed: 0 }
  /** @param {string[]} names @param {boolean} is_alone */
  const hand = async (names, is_alone = false) => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const one = await apart(name, is_alone)
      sum.passed += one.passed
      sum.failed += one.failed
    }
  }
  await hand([ALONE], true)
  const names = [...LOOKS, ...Object.keys(SUBJECTS).filter((name) => name !== ALONE)]
  await Promise.all(Array.from({ length: AT_ONCE }, () => hand(names)))
  if (again.length > 0) console.log(`Once more, as they failed beside others: ${again.join(', ')}`)
  await hand(again, true)
  for (const one of failures) console.log(one)
  console.log(`page: ${sum.passed} passed, ${sum.failed} failed`)
  process.exitCode = sum.failed === 0 ? 0 : 1
}

// All of them, or those that are named.
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in SUBJECTS))
if (unknown.length > 0)
  throw new Error(`no subject is called ${unknown.join(', ')}: there are ${Object.keys(SUBJECTS).join(', ')}`)

if (asked.length === 0) await all_apart()
else {
  try {
    for (const [name, subject] of Object.entries(SUBJECTS)) {
      if (asked.includes(name)) await subject()
    }
  } finally {
    await finish()
  }
}
