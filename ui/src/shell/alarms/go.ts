/** From an alarm to the widget where to look: turns its page, gives it the focus, and goes into it as a hand does. */
import { whose } from '../../core/alarms'
import { own_pages } from '../../core/pages'
import type { AlarmView } from '../../generated/frame'
import type { Host } from '../../host/types'
import type { LiveWall } from '../../wall.svelte'
import { desk } from '../desk/desk.svelte'
import { keyboard } from '../keyboard'

/** A page that hasn't come by then doesn't come. */
const TURNED_MS = 5_000

const ENTER = { key: 'Enter', ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, repeat: false }

/** Null if the widget is on no page of this glass; or else it ends when the widget has the focus, or its page hasn't come. */
export function go_to(live: LiveWall, host: Host, alarm: Pick<AlarmView, 'key' | 'widgets'>): Promise<void> | null {
  const view = live.cells.find(({ view }) => view.id === alarm.widgets[0])?.view
  if (view === undefined) return null
  const number = view.page ?? 0
  const pages = live.board?.pages?.length ?? 0
  if (pages > 1 && !own_pages(live.page, pages).includes(number)) return null
  if (pages > 1 && number !== live.page_number && !live.turn_past(number))
    void host.turn('show', number).catch(() => undefined)

  const begun_ms = performance.now()
  const enter = (): boolean => {
    const panel = live.shown.some((cell) => cell.view.id === view.id)
      ? document.querySelector<HTMLElement>(`[data-widget="${CSS.escape(view.id)}"]`)
      : null
    if (panel === null) return performance.now() - begun_ms > TURNED_MS
    panel.focus({ preventScroll: true })
    mark(panel)
    if (live.magnified > 1) panel.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    if (keyboard.press(ENTER)) choose(view.id, whose(alarm))
    return true
  }
  // The list goes first, and gives the focus back that it took.
  return new Promise((done) => {
    const end = live.after_paint(() => {
      if (!enter()) return
      end()
      done()
    })
  })
}

/** Who was led there by a pointer, or by the desktop, sees where: a focus that no key gave is no ring. */
function mark(panel: HTMLElement): void {
  if (panel.matches(':focus-visible')) return
  panel.dataset.sought = ''
  panel.addEventListener('blur', () => delete panel.dataset.sought, { once: true })
}

/** Selects whose alarm it is, if that is something in the panel. */
function choose(widget: string, key: string | null): void {
  const { panel } = desk
  if (key === null || panel === null || !desk.is_in(widget)) return
  if (panel.table === null && !panel.spots().some((spot) => spot.key === key)) return
  desk.select(key)
  if (panel.table === null) desk.show()
  else desk.ask()
}
