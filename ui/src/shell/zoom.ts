/** The wall larger or smaller by hand, on a desktop: remembered by the page, as far as the web view lets it. A kiosk has none of it. */
import { zoom_from, zoom_of } from '../core/zoom'
import type { LiveWall } from '../wall.svelte'
import { is_kiosk } from './hand.svelte'
import { keyboard } from './keyboard'

const NAME = 'zoom'

function remembered(): string | null {
  try {
    return localStorage.getItem(NAME)
  } catch {
    // A web view without storage forgets.
    return null
  }
}

function remember(zoom: number): void {
  try {
    localStorage.setItem(NAME, String(zoom))
  } catch {
    // As above.
  }
}

export function hear_zoom(live: LiveWall): () => void {
  const zoom = is_kiosk() ? 1 : zoom_of(remembered())
  if (zoom !== 1) live.take_zoom(zoom)
  return keyboard.hear({
    zoom: ({ key }) => {
      if (is_kiosk()) return false
      live.take_zoom(zoom_from(live.zoom, key))
      remember(live.zoom)
      return true
    },
  })
}
