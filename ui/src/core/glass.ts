/** The glass: how large a `rem` is on it, and how its grid is shaped. */

/** What everything is drawn for, in rem; upright the other way round, so that text on a screen that is turned stays as large. */
const LONG = 192
const SHORT = 108

interface Size {
  readonly width: number
  readonly height: number
}

/** What the head line and the edges of the wall take, in rem: upright the head has a second line. As the style sheet. */
export function around(width: number, height: number): Size {
  return { width: 2.4, height: width < height ? 15 : 10.8 }
}

/** How many rem the glass has at least. */
function drawn_for(width_px: number, height_px: number): Size {
  return width_px < height_px ? { width: SHORT, height: LONG } : { width: LONG, height: SHORT }
}

/** Pixels of one rem. */
export function rem_px(width_px: number, height_px: number): number {
  const { width, height } = drawn_for(width_px, height_px)
  return Math.min(width_px / width, height_px / height)
}

/** How many times the grid is as wide as high. */
export function grid_ratio(width_px: number, height_px: number): number {
  const rem = rem_px(width_px, height_px)
  const taken = around(width_px, height_px)
  const [width, height] = [width_px / rem - taken.width, height_px / rem - taken.height]
  return width > 0 && height > 0 ? width / height : 1
}

/** The size of the root's letters, if that isn't the style sheet's own. */
export function root_size(larger: number, width_px: number, height_px: number): string {
  if (larger === 1) return ''
  const { width, height } = drawn_for(width_px, height_px)
  return `calc(min(100vw / ${String(width)}, 100vh / ${String(height)}) * ${String(larger)})`
}
