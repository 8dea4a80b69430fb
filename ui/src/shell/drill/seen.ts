/**
 * What is really on the glass, found in the document after a paint: for a lamp test, which believes nothing else. What is outside the
 * window, transparent or not laid out is not seen.
 */
import type { Freshness, GlassSeen, SourceSeen, WidgetSeen } from '../../generated/frame'

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

/** Whether a colour, as computed, is see-through. */
function is_clear(colour: string): boolean {
  return colour === 'transparent' || /^rgba\(.*,\s*0(\.0+)?\)$/.test(colour) || /\/\s*0(\.0+)?\)$/.test(colour)
}

function words_of(element: Element | null): string {
  if (!is_seen(element) || is_clear(getComputedStyle(element).color)) return ''
  return element.textContent.trim()
}

/** Whether anything but the freshness's own marks stands in a body. */
function shows_value(body: Element | null): boolean {
  if (body === null) return false
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

function widget_seen(widget: HTMLElement): WidgetSeen {
  const { widget: id = '', freshness } = widget.dataset
  return {
    id,
    freshness: FRESHNESSES.find((one) => one === freshness) ?? 'unknown',
    mark: is_seen(widget.querySelector('.what > svg')),
    word: words_of(widget.querySelector('.what > b')),
    hatch: has_hatch(widget),
    edge: is_dashed(widget.querySelector('.panel')),
    value: shows_value(widget.querySelector('.body')),
    lacks: lacks(widget),
  }
}

function source_seen(source: HTMLElement): SourceSeen {
  return { id: source.dataset['source'] ?? '', words: words_of(source.querySelector('.words')) }
}

/** What can be seen now, on a page that was told this step last and has painted this version. */
export function glass_seen(step: number, version: number, silent: boolean): GlassSeen {
  const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)]
  return {
    step,
    version,
    silent,
    band: words_of(document.querySelector('[data-drill-band] .name')) !== '',
    widgets: all('[data-widget]').map(widget_seen),
    sources: all('header [data-source]').map(source_seen),
  }
}
