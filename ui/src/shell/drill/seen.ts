/**
 * What is really on the glass, found in the document after a paint: for a lamp test, which believes nothing else. What is outside the
 * window, transparent, not laid out, cut off or too small to be read is not seen.
 */
import type { Freshness, GlassSeen, SourceSeen, SourceView, WidgetSeen } from '../../generated/frame'
import { freshness_word } from '../../core/freshness'
import { said_text } from '../../core/said'
import { SIZES } from '../../core/sizes'

const FRESHNESSES: readonly Freshness[] = ['live', 'polling', 'catching-up', 'stale', 'down', 'refused', 'unknown']

/** Whether any of an element can be seen. */
function is_seen(element: Element | null): element is Element {
  if (element === null) return false
  // Older engines know no options and look at `display` alone.
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false
  const box = element.getBoundingClientRect()
  return (
    box.width > 0 &&
    box.height > 0 &&
    box.right > 0 &&
    box.bottom > 0 &&
    box.left < window.innerWidth &&
    box.top < window.innerHeight
  )
}

/** What is smaller than this, in rem, isn't read from afar: a little below the smallest, for rounding. */
const TEXT_REM_MIN = SIZES.minor - 0.1
const MARK_REM_MIN = 1
/** Rounding, and the air around what is drawn. */
const SLACK_REM = 0.15

function rem_px(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
}

/** Whether all of a box is left by what cuts off its element, from the element's parent to its widget. */
function is_whole(element: Element, { left, right, top, bottom }: Record<'left' | 'right' | 'top' | 'bottom', number>) {
  const slack = SLACK_REM * rem_px()
  for (let up = element.parentElement; up !== null; up = up.parentElement) {
    const is_widget = up.matches('[data-widget]')
    if (is_widget || getComputedStyle(up).overflow !== 'visible') {
      const edge = up.getBoundingClientRect()
      if (left < edge.left - slack || right > edge.right + slack) return false
      if (top < edge.top - slack || bottom > edge.bottom + slack) return false
    }
    if (is_widget) return true
  }
  return true
}

/** Whether a text is large enough to be read, and nothing of it is cut off. A line is higher than its letters: the ink counts. */
function is_readable(element: Element | null): element is Element {
  if (!is_seen(element)) return false
  const { left, right, top, bottom, height } = element.getBoundingClientRect()
  // Both: a style knows nothing of what shrinks its element from outside.
  if (Math.min(height, Number.parseFloat(getComputedStyle(element).fontSize)) < TEXT_REM_MIN * rem_px()) return false
  return is_whole(element, { left, right, top: top + 0.2 * height, bottom: bottom - 0.2 * height })
}

function is_mark_whole(mark: Element | null): boolean {
  if (!is_seen(mark)) return false
  const box = mark.getBoundingClientRect()
  return Math.min(box.width, box.height) >= MARK_REM_MIN * rem_px() && is_whole(mark, box)
}

/** Whether a colour, as computed, is see-through. */
function is_clear(colour: string): boolean {
  return colour === 'transparent' || /^rgba\(.*,\s*0(\.0+)?\)$/.test(colour) || /\/\s*0(\.0+)?\)$/.test(colour)
}

function words_of(element: Element | null): string {
  if (!is_seen(element) || is_clear(getComputedStyle(element).color)) return ''
  return element.textContent.trim()
}

/** Whether anything but the freshness's own marks stands in a body, and a number's digits can be read. */
function shows_value(body: Element | null): boolean {
  if (body === null) return false
  const digits = [...body.querySelectorAll('.figure [data-value]')]
  if (!digits.every((one) => is_readable(one) && words_of(one) !== '')) return false
  return [...body.children].some((child) => !child.matches('.hidden, .hatch') && is_seen(child))
}

function is_dashed(panel: Element | null): boolean {
  if (!is_seen(panel)) return false
  const style = getComputedStyle(panel)
  return (
    style.borderTopStyle === 'dashed' && Number.parseFloat(style.borderTopWidth) > 0 && !is_clear(style.borderTopColor)
  )
}

function has_hatch(widget: Element): boolean {
  const hatch = widget.querySelector('[data-hatch]')
  return is_seen(hatch) && getComputedStyle(hatch).backgroundImage.includes('gradient')
}

function lacks(widget: Element): boolean {
  return [...widget.querySelectorAll('.least, [data-lacks] > *')].some((mark) => words_of(mark) !== '')
}

/** Whether what can be read is this text, whole or without its middle. */
function reads(seen: string, text: string): boolean {
  const [head = '', tail = ''] = seen.toLowerCase().split(' … ')
  const whole = text.toLowerCase()
  return tail === '' ? head === whole : whole.startsWith(head) && whole.endsWith(tail)
}

/** The backend knows a freshness by its English word: in another language it is told whether its own word can be read. */
function in_english(seen: string, freshness: string | undefined): string {
  const known = FRESHNESSES.find((one) => one === freshness)
  return known !== undefined && reads(seen, freshness_word(known)) ? known.replace('-', ' ') : seen
}

function widget_seen(widget: HTMLElement): WidgetSeen {
  const { widget: id = '', freshness } = widget.dataset
  const word = widget.querySelector('.what > b')
  return {
    id,
    freshness: FRESHNESSES.find((one) => one === freshness) ?? 'unknown',
    mark: is_mark_whole(widget.querySelector('.what > svg')),
    word: is_readable(word) ? in_english(words_of(word), freshness) : '',
    hatch: has_hatch(widget),
    edge: is_dashed(widget.querySelector('.panel')),
    value: shows_value(widget.querySelector('.body')),
    lacks: lacks(widget),
  }
}

/** As the backend said it, where that can be read in the language of the wall. */
function source_seen(source: HTMLElement, views: readonly SourceView[]): SourceSeen {
  const id = source.dataset['source'] ?? ''
  const seen = words_of(source.querySelector('.words'))
  const view = views.find((one) => one.id === id)
  const words = words_of(source.querySelector('.words > bdi'))
  const is_said = view?.said !== undefined && words !== '' && reads(words, said_text(view.said))
  return { id, words: is_said ? view.words : seen }
}

/** What can be seen now, on a page that was told this step last and has painted this version. */
export function glass_seen(step: number, version: number, silent: boolean, views: readonly SourceView[]): GlassSeen {
  const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)]
  return {
    step,
    version,
    silent,
    band: words_of(document.querySelector('[data-drill-band] .name')) !== '',
    widgets: all('[data-widget]').map(widget_seen),
    sources: all('header [data-source]').map((one) => source_seen(one, views)),
  }
}
