/** Where the names of fences and of layers' shapes stand: over the middle of each or not far off, and on nothing that may not be covered. */
import type { FenceValue, State } from '../../generated/frame'
import { type Box, overlaps, place_label } from '../../core/labels'
import { MARKER_LABELS_MAX } from '../../core/limits'
import { middle_cut } from '../../core/width'
import { BAD, LABEL_CHARACTERS_MAX } from './rank'
import { fence_words, type Flat, type LaidFence, type LaidLayer } from './shapes'

/** How far off its middle a name may stand, in parts of a marker's size. */
const REACHES = [0.01, 0.9, 1.8, 2.8]
/** Room for a state's shape before a name, in the same. */
export const MARK_ROOM = 0.9

/** A fence where the map shows it, with what it says. */
export interface Fence extends LaidFence {
  /** Null while nobody knows. */
  readonly value: FenceValue | null
  readonly label: { readonly text: string; readonly box: Box } | null
}

/** The name of a layer's shape. */
export interface ShapeLabel {
  readonly text: string
  readonly state: State
  readonly box: Box
}

/** How wide a text is; 700 is bold. */
export type Measure = (text: string, weight: 400 | 700) => number

/** What names are laid out in. `size` is a marker's. */
export interface Sheet {
  readonly area: Box
  readonly size: number
  readonly measure: Measure
  readonly height: number
}

/** Fences with their names, the worst first: clear of what is `taken`, and of `markers` if that can be. What has no room is counted. */
export function named_fences(
  fences: readonly Fence[],
  sheet: Sheet,
  taken: readonly Box[],
  markers: readonly Box[],
): { fences: Fence[]; boxes: Box[]; unnamed: number } {
  const state = (at: number): State => fences[at]?.value?.state ?? 'normal'
  const order = fences.map((_, at) => at).sort((a, b) => BAD[state(b)] - BAD[state(a)])
  const labels = new Map<number, NonNullable<Fence['label']>>()
  const off = [...taken]
  let unnamed = 0
  for (const at of order) {
    const fence = fences[at]
    if (fence?.middle == null) continue
    const text = fence_words(middle_cut(fence.look.name, LABEL_CHARACTERS_MAX), fence.value)
    const mark = BAD[state(at)] > BAD.normal ? sheet.size * MARK_ROOM : 0
    const width = sheet.measure(text, 700) + mark
    const box = place(fence.middle, width, sheet, [...off, ...markers]) ?? place(fence.middle, width, sheet, off)
    if (box === null) {
      unnamed += 1
      continue
    }
    off.push(box)
    labels.set(at, { text, box })
  }
  return {
    fences: fences.map((fence, at) => ({ ...fence, label: labels.get(at) ?? null })),
    boxes: [...labels.values()].map(({ box }) => box),
    unnamed,
  }
}

/** Names of layers' shapes, where all else has left room. */
export function named_shapes(
  layers: readonly LaidLayer[],
  sheet: Sheet,
  taken: readonly Box[],
): { labels: ShapeLabel[]; unnamed: number } {
  const labels: ShapeLabel[] = []
  const off = [...taken]
  let unnamed = 0
  for (const { name, middle, state } of layers.flatMap(({ shapes }) => shapes)) {
    if (name === null || middle === null) continue
    const text = middle_cut(name, LABEL_CHARACTERS_MAX)
    const box = labels.length < MARKER_LABELS_MAX ? place(middle, sheet.measure(text, 400), sheet, off) : null
    if (box === null) {
      unnamed += 1
      continue
    }
    off.push(box)
    labels.push({ text, state, box })
  }
  return { labels, unnamed }
}

function place([x, y]: Flat, width: number, { area, size, height }: Sheet, taken: readonly Box[]): Box | null {
  const over = { x: x - width / 2, y: y - height / 2, width, height }
  const is_free =
    over.x >= area.x &&
    over.y >= area.y &&
    over.x + width <= area.x + area.width &&
    over.y + height <= area.y + area.height &&
    !taken.some((other) => overlaps(over, other))
  const reaches = REACHES.map((reach) => reach * size)
  return is_free ? over : place_label({ x, y }, { width, height }, reaches, area, taken)
}
