/**
 * The page in WebKitGTK, the engine of the wall's own window, on an X server without a screen: driven by WebKitWebDriver.
 *
 * Needs Xvfb and Debian's `webkit2gtk-driver`, whose browser is `MINIBROWSER`. The page comes from a server on this machine alone, which
 * puts the scripted host before the page's own scripts.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { note_canvas_texts } from './canvas.mjs'
import { backend, served } from './page/served.mjs'

/** Debian has it in a folder that is named after the machine's kind. */
const MINIBROWSER =
  process.env['MINIBROWSER'] ??
  readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'webkit2gtk-4.1/MiniBrowser'))
    .find((file) => existsSync(file)) ??
  'MiniBrowser'
/** Larger than any window that is asked for, with the browser's own line above the page. */
const SCREEN = '3900x2300x24'
const START_MS_MAX = 20_000
/** As the wall's window is drawn where there is no GPU (src-tauri/src/gpu.rs), which is so on that screen. */
const SOFTWARE = { WEBKIT_DISABLE_DMABUF_RENDERER: '1', WEBKIT_SKIA_ENABLE_CPU_RENDERING: '1', GDK_GL: 'disable' }

/** What the page is looked at with. The same names as Playwright's.
 * @typedef {{ evaluate: <Result, Given>(what: (given: Given) => Result, given?: Given) => Promise<Awaited<Result>>, screenshot: () => Promise<Buffer> }} View
 */

/** @typedef {(query: string, size: { width: number, height: number }, use: (page: View) => Promise<void>) => Promise<void>} OnPage */

/** Runs before the page's scripts: errors are kept to be asked for. */
function note_faults() {
  /** @type {string[]} */
  const faults = []
  Object.assign(globalThis, { __faults: faults })
  addEventListener('error', (event) => faults.push(String(event.message)))
  addEventListener('unhandledrejection', (event) => faults.push(String(event.reason)))
  for (const kind of /** @type {const} */ (['error', 'warn']))
    console[kind] = (...words) => void faults.push(words.map(String).join(' '))
}

/** @param {import('node:child_process').ChildProcess} child */
const ended = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(null)
    else {
      child.once('exit', resolve)
      child.kill()
    }
  })

async function serve() {
  const script = `(${String(note_faults)})();(${String(note_canvas_texts)})();${await backend()}`
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://wall.test')
    const say = (
      /** @type {number} */ status,
      /** @type {Record<string, string>} */ headers,
      /** @type {string | Buffer} */ body,
    ) => response.writeHead(status, headers).end(body)
    if (pathname === '/favicon.ico') say(204, {}, '')
    else if (pathname === '/scripted-host.js') say(200, { 'content-type': 'text/javascript; charset=utf-8' }, script)
    else
      served(pathname).then(
        ({ body, type, headers }) => {
          const page =
            type === 'text/html'
              ? body.toString().replace('<head>', '<head><script src="/scripted-host.js"></script>')
              : body
          say(200, { ...headers, 'content-type': type }, page)
        },
        () => say(404, {}, ''),
      )
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return { server, address: `http://127.0.0.1:${String(address.port)}` }
}

/** A port that was free a moment ago: the driver takes no file and tells no port of its own. */
async function free_port() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no address')
  return address.port
}

/** Starts one; `close` ends all that it started. Its pages come one after the other. */
export async function webkit() {
  const home = await mkdtemp(join(tmpdir(), 'webkit-'))
  // The engine asks GTK whether motion is wanted.
  await mkdir(join(home, 'gtk-3.0'))
  await writeFile(join(home, 'gtk-3.0', 'settings.ini'), '[Settings]\ngtk-enable-animations=0\n')
  const { server, address } = await serve()
  const screen = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp', '-screen', '0', SCREEN], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const display = await new Promise((resolve, reject) => {
    screen.once('error', reject)
    screen.stdio[3]?.once('data', (/** @type {Buffer} */ said) => resolve(`:${String(said).trim()}`))
  })
  const port = await free_port()
  const driver = spawn('WebKitWebDriver', [`--port=${String(port)}`], {
    env: {
      ...process.env,
      ...SOFTWARE,
      ...{ DISPLAY: display, GDK_BACKEND: 'x11', XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home },
    },
    stdio: 'ignore',
  })
  let session = ''

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async function order(method, path, body) {
    const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const { value } = /** @type {{ value: any }} */ (await answer.json())
    if (!answer.ok) throw new Error(`WebKit: ${String(value?.message ?? value?.error)}`)
    return value
  }

  for (const begun_ms = performance.now(); ;) {
    const is_there = await order('GET', '/status').then(
      () => true,
      () => false,
    )
    if (is_there) break
    if (performance.now() - begun_ms > START_MS_MAX) throw new Error('WebKitWebDriver does not listen')
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const { sessionId } = await order('POST', '/session', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary: MINIBROWSER, args: ['--automation'] } } },
  })
  session = `/session/${String(sessionId)}`

  /** @type {View} */
  const view = {
    async evaluate(what, given) {
      const script = `const done = arguments[1]; Promise.resolve(arguments[0]).then(${String(what)}).then(
        (is) => done({ is }), (error) => done({ error: String(error) }))`
      const { is, error } = await order('POST', `${session}/execute/async`, { script, args: [given ?? null] })
      if (error !== undefined) throw new Error(error)
      return is
    },
    async screenshot() {
      // It is of what was painted last, which a change that was just made is no part of.
      await view.evaluate(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(null)))),
      )
      return Buffer.from(String(await order('GET', `${session}/screenshot`)), 'base64')
    },
  }

  /**
   * @param {string} query
   * @param {{ width: number, height: number }} size
   * @param {(page: View) => Promise<void>} use
   */
  async function on_page(query, size, use) {
    // The window has a line of its own above the page.
    for (let above = 38, tries = 0; ; tries += 1) {
      await order('POST', `${session}/window/rect`, { x: 0, y: 0, width: size.width, height: size.height + above })
      const [width, height] = await view.evaluate(() => [innerWidth, innerHeight])
      if (width === size.width && height === size.height) break
      if (tries > 20) throw new Error(`a window of ${String(width)} by ${String(height)}`)
      above += size.height - height
    }
    await order('POST', `${session}/url`, { url: `${address}/?${query}` })
    await view.evaluate(
      () =>
        new Promise((resolve) => {
          const timer = setInterval(() => {
            if (document.querySelector('[data-widget], [data-furniture]') === null) return
            clearInterval(timer)
            resolve(null)
          }, 20)
        }),
    )
    await use(view)
    const faults = await view.evaluate(
      () => /** @type {{ __faults?: string[] }} */ (globalThis).__faults ?? ['no script'],
    )
    if (faults.length > 0) throw new Error(`errors of the page: ${faults.join('; ')}`)
  }

  async function close() {
    await order('DELETE', session).catch(() => undefined)
    await ended(driver)
    await ended(screen)
    server.closeAllConnections()
    server.close()
    await rm(home, { recursive: true, force: true })
  }

  return { on_page, close }
}
