/** Wires the page: a host, the pull, and the wall. */
import './locale'
import './theme/faces.css'
import './theme/tokens.css'
import './theme/base.css'
import './theme/over-wall.css'
import { mount } from 'svelte'
import App from './app.svelte'
import { RESIZED_MS } from './core/limits'
import { Pull } from './core/pull'
import { Display } from './display'
import { tauri } from './host/tauri'
import type { Host } from './host/types'
import { LiveWall } from './wall.svelte'
import type { BoardView, Frame } from './generated/frame'
import { chosen } from './words/choice'
import { speak } from './words/say'

async function chosen_host(): Promise<Host> {
  // The scripted host is for looking at the page without a backend; the condition is false in a build, and the import goes.
  if (import.meta.env.DEV && !('__TAURI_INTERNALS__' in window)) {
    const { FakeHost } = await import('./host/fake')
    return FakeHost.from_address(location.search)
  }
  return tauri
}

/** Paints with a host from now on. */
function open_wall(host: Host, target: HTMLElement): void {
  const live = new LiveWall()
  const display = new Display()
  const pull = new Pull({
    next_frame: (after, revision, rest_ms) => host.next_frame(after, revision, rest_ms).then(in_words),
    apply: (frame) => display.work(() => live.apply(frame)),
    painted: async () => {
      const work_ms = await display.painted()
      live.painted()
      return work_ms
    },
    timer: (ms) => display.timer(ms),
    now: () => performance.now(),
    heard: () => {
      live.heard()
    },
    silent: () => {
      live.fall_silent()
    },
    undrawn: () => {
      live.cannot_draw()
    },
  })

  /** A lost word costs nothing: the backend sees that nobody pulls, and the glass is what it was. */
  async function tell(kind: 'hidden' | 'visible' | 'resized'): Promise<void> {
    const sight = await host.glass(kind, innerWidth).catch(() => null)
    if (sight !== null) live.take_sight(sight)
  }

  function follow_visibility(): void {
    if (document.hidden) pull.pause()
    else if (!pull.running) pull.start()
    void tell(document.hidden ? 'hidden' : 'visible')
  }

  let resized: ReturnType<typeof setTimeout> | undefined
  function follow_size(): void {
    clearTimeout(resized)
    resized = setTimeout(() => {
      void tell('resized')
    }, RESIZED_MS)
  }

  const coded = new URLSearchParams(location.search).has('glass-code')
  mount(App, { target, props: { live, host, coded } })
  document.addEventListener('visibilitychange', follow_visibility)
  addEventListener('resize', follow_size)
  follow_visibility()
}

/** The language that the board wants, the address, or this machine. */
function speak_as(board: BoardView | null): Promise<void> {
  const { language, locale } = chosen(asked_language(), board, navigator.language)
  return speak(language, locale)
}

/** A frame, once the words of its board are there: it is painted in them from the start. */
async function in_words(frame: Frame): Promise<Frame> {
  if (frame.board !== null) await speak_as(frame.board)
  return frame
}

/** For looking at the page in another language, by its address. */
function asked_language(): string | null {
  return new URLSearchParams(location.search).get('language')
}

/** Resolves when the shipped faces are there. One that can't be loaded leaves the next of its list: nothing fails. */
async function faces(): Promise<void> {
  const needed = ['400 1em Roboto', '500 1em Roboto', '400 1em "Roboto Condensed"', '700 1em "Roboto Condensed"']
  await Promise.allSettled(needed.map((face) => document.fonts.load(face)))
}

const target = document.getElementById('wall')
if (target === null) throw new Error('index.html has an element #wall')
// Text that is laid out before its face is there has the system look for another one, at every size: that takes longer
// than all the rest of the first frame.
void Promise.all([chosen_host(), faces(), speak_as(null)]).then(([host]) => {
  open_wall(host, target)
})
