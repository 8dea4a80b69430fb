/** The case sheet's map: every icon, and ways with a bend, a break and a gap. */
import type { Icon, MarkerValue, State, WidgetValue } from '../generated/frame'

const MINUTE_MS = 60_000

const ICONS: readonly (Icon | null)[] = [
  ...(['aircraft', 'helicopter', 'ship', 'arrow', 'car', 'truck', 'train'] as const),
  ...(['cross', 'flame', 'shield', 'person', 'box', 'wrench', 'other'] as const),
  null,
]

/** Where a marker is, and how it came there: some by a bend, one without a position for a while, some not at all. */
function way(one: number, now_ms: number): Pick<MarkerValue, 'lat' | 'lon' | 'heading' | 'trail'> {
  const at = { lat: 45.6 + ((one * 37) % 60) / 10, lon: 5.6 + ((one * 53) % 100) / 10 }
  const heading = one % 3 === 0 ? null : (one * 47) % 360
  const turn = (((heading ?? one * 91) + 180) * Math.PI) / 180
  const trail = Array.from({ length: 21 }, (_, back): MarkerValue['trail'][number] => {
    const bend = turn + back * 0.04 * ((one % 5) - 2)
    const place: [number, number] = [at.lat + back * 0.05 * Math.cos(bend), at.lon + back * 0.07 * Math.sin(bend)]
    return [now_ms - back * MINUTE_MS, one === 4 && back > 4 && back < 9 ? null : place]
  })
  return { ...at, heading, trail: one % 4 === 3 ? [] : trail.reverse() }
}

/** Markers with these labels; `total` is how many there are, where that is more. */
export function sheet_map(
  labels: readonly string[],
  meaning: (one: number) => State,
  total: number | null,
  now_ms: number,
): WidgetValue {
  const markers = labels.map((label, one) => ({
    key: String(one),
    ...way(one, now_ms),
    icon: ICONS[one % ICONS.length] ?? null,
    trail_whole: true,
    label,
    state: meaning(one),
  }))
  const unplaced = markers.length > 1 ? 2 : 0
  return {
    kind: 'markers',
    whole: true,
    markers,
    removed: [],
    total: total ?? markers.length + unplaced,
    unplaced,
    gaps: [[now_ms - 12 * MINUTE_MS, now_ms - 10 * MINUTE_MS]],
  }
}
