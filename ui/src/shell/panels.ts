/** The focus goes from panel to panel by keys; whoever hears the wall hears the panel's sentence. */
import { beside, reading_order, type Way } from '../core/beside'
import type { Stroke } from '../core/keys'
import type { LiveWall } from '../wall.svelte'
import { is_kiosk } from './hand.svelte'
import { keyboard } from './keyboard'

const WAYS: Record<string, Way> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }
/** On a wall that nobody sits at, a frame around one panel would say something: it goes after so long without a key. */
const LEFT_MS = 60_000

/** The panel that has the focus, or something in it. */
export function focused_panel(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>('[data-widget]') ?? null
}

function leave(): boolean {
  const panel = focused_panel()
  if (panel === null) return false
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  return true
}

export function hear_panels(live: LiveWall): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined

  function enter(at: number | null | undefined): boolean {
    const id = at == null ? undefined : live.shown[at]?.view.id
    const panel = id === undefined ? null : document.querySelector<HTMLElement>(`[data-widget="${CSS.escape(id)}"]`)
    panel?.focus({ preventScroll: true })
    if (live.magnified > 1) panel?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    // Where nothing lies in that direction the key means nothing else all the same.
    return true
  }

  const places = () => live.shown.map(({ place }) => place)
  const at_now = (): number => live.shown.findIndex(({ view }) => view.id === focused_panel()?.dataset['widget'])

  function move({ key }: Stroke): boolean {
    const way = WAYS[key]
    const at = at_now()
    if (way === undefined || live.shown.length === 0) return false
    return enter(at === -1 ? reading_order(places())[0] : beside(places(), at, way))
  }

  function focused(): void {
    clearTimeout(timer)
    if (is_kiosk()) timer = setTimeout(leave, LEFT_MS)
  }
  document.addEventListener('focusin', focused)

  const ends = keyboard.hear({
    'panel-move': move,
    'panel-end': ({ key }) => live.shown.length > 0 && enter(reading_order(places()).at(key === 'Home' ? 0 : -1)),
    'panel-leave': leave,
  })
  return () => {
    clearTimeout(timer)
    document.removeEventListener('focusin', focused)
    ends()
  }
}
