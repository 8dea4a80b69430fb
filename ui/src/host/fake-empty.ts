/** What a backend sends that knows nothing. */
import type { WidgetValue } from '../generated/frame'

/** The same kind of value with nothing in it. */
export function empty(value: WidgetValue): WidgetValue {
  switch (value.kind) {
    case 'number':
      return { ...value, value: null, change: null, trend: [], state: 'normal' }
    case 'table':
      return { ...value, rows: [], order: [], total: 0, at_least: false, groups: [], groups_total: 0 }
    case 'log':
      return { ...value, lines: [], total: 0 }
    case 'series':
      return { ...value, lines: [], gaps: [] }
    case 'status':
      return { ...value, tiles: [] }
    case 'tally':
      return { ...value, bars: [] }
    case 'timeline':
      return { ...value, rows: [] }
    case 'histogram':
      return { ...value, counts: [], stats: [] }
    case 'markers':
      return { ...value, markers: [], total: 0, unplaced: 0, fences: [] }
  }
}
