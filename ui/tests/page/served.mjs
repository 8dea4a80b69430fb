/** What a browser is handed in the runtime's place: the built page under the app's own policy, and the scripted host. */
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const UI = fileURLToPath(new URL('../..', import.meta.url))
export const DIST = process.env['DIST'] ?? join(UI, 'dist')
// What the app allows its page. Anything that needed more would fail here.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; worker-src 'self'; connect-src ipc: http://ipc.localhost"
/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
}

/**
 * A file of the page, with its headers.
 *
 * @param {string} pathname
 */
export async function served(pathname) {
  const file = pathname === '/' ? '/index.html' : pathname
  return {
    body: await readFile(join(DIST, file)),
    type: TYPES[extname(file)] ?? 'application/octet-stream',
    headers: { 'content-security-policy': POLICY },
  }
}

/** The scripted host, standing where the runtime puts its own. */
export async function backend() {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { FakeHost } from './src/host/fake'
        const host = FakeHost.from_address(location.search)
        const calls = []
        const commands = {
          next_frame: ({ after, revision, restMs }) => host.next_frame(after, revision, restMs),
          glass: ({ kind }) => host.glass(kind),
          rows: ({ query }) => host.rows(query),
          detail: ({ widget, key }) => host.detail(widget, key),
          demo_state: () => host.demo_state(),
          demo_fault: ({ name, on }) => host.demo_fault(name, on),
          demo_speed: ({ speed }) => host.demo_speed(speed),
          reconcile: () => host.reconcile(),
          alarm_act: ({ act }) => host.alarm_act(act),
          alarms_acknowledge: ({ seen }) => host.alarms_acknowledge(seen),
          alarm_rows: ({ query }) => host.alarm_rows(query),
          alarm_report: ({ fromMs, toMs }) => host.alarm_report(fromMs, toMs),
          since: ({ fromMs, after }) => host.since(fromMs, after),
          since_moments: ({ name }) => host.since_moments(name),
          turn: ({ how, number }) => host.turn(how, number),
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
          tiles_open: ({ file }) => host.tiles_open(file),
          tiles_read: ({ file, version, offset, length }) => host.tiles_read(file, version, offset, length),
          tiles_told: ({ file, widget, text, amiss }) => host.tiles_told(file, widget, text, amiss),
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
