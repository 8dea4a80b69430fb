/**
 * The built page in a browser, with the scripted host in the backend's place: what it says in every scenario, that
 * nothing is cut off or lies upon something else, that it can be read, and that it stops believing when nobody answers.
 *
 * Needs Chromium (`CHROMIUM`, default /usr/bin/chromium) and the built page (`DIST`, default `dist`). Opens no port: the browser is handed the files.
 */
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
  ...{ looks, night, numbers, sight, silence, history, broken, past, pages, drill, demo, still, aloud },
  ...{ keys, desk, chart, shift, zoom, span, words, pseudo, furniture, fences, tiles, bundle },
}
// All of them, or those that are named.
const asked = process.argv.slice(2)

try {
  for (const [name, subject] of Object.entries(SUBJECTS)) {
    if (asked.length === 0 || asked.includes(name)) await subject()
  }
} finally {
  await finish()
}
