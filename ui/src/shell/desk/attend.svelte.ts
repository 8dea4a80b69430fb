/** Lets a hand into a panel, for as long as the panel stands: keys and a pointer of a desktop, never of a kiosk. */
import { onMount } from 'svelte'
import type { RowValue } from '../../generated/frame'
import type { Spot } from '../../core/desk'
import type { Cell, LiveWall } from '../../wall.svelte'
import { is_kiosk } from '../hand.svelte'
import { keyboard } from '../keyboard'
import { focused_panel } from '../panels'
import { desk, type Way } from './desk.svelte'

/** What a table tells besides. */
export interface TableDesk {
  readonly columns: () => number
  readonly room: () => number
  readonly total: () => number
  readonly held: () => readonly RowValue[]
}

const WAYS: Record<string, Way> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }
const FAR: Record<string, number> = { PageUp: -1, PageDown: 1, Home: -Infinity, End: Infinity }

/** Where everything stands in a panel that has a key. */
function spots_in(id: string): Spot[] {
  const all = document.querySelectorAll<HTMLElement>(`[data-widget="${CSS.escape(id)}"] [data-key]`)
  return [...all].map((element) => {
    const { left, top, width, height } = element.getBoundingClientRect()
    return { key: element.dataset['key'] ?? '', left, top, width, height }
  })
}

/** `spots` where what can be selected is drawn and is no element. */
export function attend(
  live: () => LiveWall,
  cell: () => Cell,
  table: TableDesk | null,
  spots?: () => Spot[],
): { enter: () => boolean } {
  const id = (): string => cell().view.id
  const is_in = (): boolean => desk.is_in(id())
  const in_present = (): boolean => live().past === null && live().drill === null

  function enter(): boolean {
    if (is_kiosk() || cell().value === null || ['refused', 'unknown'].includes(cell().freshness)) return false
    const own = id()
    desk.enter({
      id: own,
      asks: in_present,
      spots: spots ?? (() => spots_in(own)),
      table: table === null ? null : { ...table, columns: table.columns(), revision: () => live().wall.revision },
    })
    return true
  }

  const focused = (): boolean => focused_panel()?.dataset['widget'] === id()

  // What is asked for follows what changes, and what nobody may see any more is left.
  $effect(() => {
    void [cell().value, live().past, live().drill]
    const { freshness } = cell()
    if (!is_in()) return
    // Of a record no part can be asked for: it would say that it is filtered and not be.
    if (freshness === 'refused' || freshness === 'unknown' || (!in_present() && desk.alters)) desk.leave()
    else desk.ask()
  })

  onMount(() => {
    const deaf = keyboard.hear({
      'panel-enter': () => {
        if (!focused() || !enter()) return false
        if (desk.key === null && table !== null) desk.go_to(0)
        return true
      },
      'panel-find': () => table !== null && focused() && in_present() && enter() && finds(),
      'desk-move': ({ key }) => {
        if (!is_in()) return false
        const [way, far] = [WAYS[key], FAR[key]]
        if (way !== undefined) desk.go(way)
        else if (far !== undefined) desk.go_far(far)
        return true
      },
      'desk-open': () => is_in() && (desk.show() || true),
      'desk-find': () => is_in() && table !== null && in_present() && finds(),
      'desk-sort': () => {
        if (!is_in() || table === null || !in_present()) return false
        desk.turn_sort(desk.column ?? 0)
        return true
      },
      'desk-leave': () => is_in() && desk.back(),
    })
    return () => {
      deaf()
      if (is_in()) desk.leave()
    }
  })

  function finds(): boolean {
    desk.look_for(desk.find, true)
    return true
  }

  return { enter }
}
