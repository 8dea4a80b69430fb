/**
 * The guide values that an alarm report's figures are held against: EEMUA 191, ISA-18.2 and IEC 62682, which state them for thirty days and more.
 * Percent are of 100; times are milliseconds.
 */
import type { AlarmPriorityReport, AlarmReport, Priority } from '../generated/frame'

/** Where a figure stands; null where there is too little to judge by. */
export type Verdict = 'acceptable' | 'manageable' | 'beyond' | null

export interface Guide {
  /** Up to here it is acceptable. */
  readonly good: number
  /** Up to here it is manageable; the same where there is nothing between. */
  readonly limit: number
}

export const FIGURES = ['mean', 'max', 'over', 'flood', 'top', 'nuisance', 'standing'] as const
export type Figure = (typeof FIGURES)[number]

export const GUIDES: Readonly<Record<Figure, Guide>> = {
  mean: { good: 1, limit: 2 },
  max: { good: 10, limit: 10 },
  over: { good: 1, limit: 5 },
  flood: { good: 1, limit: 5 },
  top: { good: 5, limit: 20 },
  nuisance: { good: 0, limit: 0 },
  standing: { good: 4, limit: 4 },
}
/** The most within any hour and any minute. */
export const PEAKS = { hour: 15, minute: 2 } as const
/** Shares of the priorities, percent; what is critical comes out of the others' share. */
export const SHARES: Readonly<Record<Priority, number>> = { critical: 1, high: 5, medium: 15, low: 80 }
/** From the announcement to the acknowledgement: half of all, and 95 of 100. */
export const TO_ACKNOWLEDGE: Readonly<
  Partial<Record<Priority, { readonly median_ms: number; readonly p95_ms: number }>>
> = {
  critical: { median_ms: 30_000, p95_ms: 120_000 },
  high: { median_ms: 120_000, p95_ms: 600_000 },
}
/** Of fewer alarms shares say nothing. */
export const SHARES_FROM = 100
/** Of fewer periods of ten minutes rates say nothing: an hour. */
const RATES_FROM = 6
const RATES: readonly Figure[] = ['mean', 'over', 'flood']
/** Stretches that the guides are meant for. */
export const GUIDED_MS = 30 * 86_400_000

/** What a figure is; null where nothing can be said. */
export function figure_of(figure: Figure, report: AlarmReport): number | null {
  switch (figure) {
    case 'mean':
      return report.rate.mean
    case 'max':
      return report.rate.max
    case 'over':
      return report.rate.periods === 0 ? null : (100 * report.rate.over) / report.rate.periods
    case 'flood':
      return report.flood_percent
    case 'top':
      return report.top_percent
    case 'nuisance':
      return report.chattering_count + report.fleeting_count
    case 'standing':
      return report.standing_count
  }
}

export function verdict_of(figure: Figure, report: AlarmReport): Verdict {
  if (figure === 'top' && report.alarms < SHARES_FROM) return null
  if (RATES.includes(figure) && report.rate.periods < RATES_FROM) return null
  const { good, limit } = GUIDES[figure]
  const value = figure_of(figure, report)
  if (value === null) return null
  return value <= good ? 'acceptable' : value <= limit ? 'manageable' : 'beyond'
}

/** Of a priority's share: there is a guide and nothing between. That many are of the lowest is as it should be. */
export function share_verdict({ priority, percent }: AlarmPriorityReport, alarms: number): Verdict {
  if (priority === 'low' || alarms < SHARES_FROM) return null
  return percent <= SHARES[priority] ? 'acceptable' : 'beyond'
}

/** Of the time to acknowledge: manageable if only half of what is asked for holds. */
export function acknowledge_verdict({ priority, median_ms, p95_ms }: AlarmPriorityReport): Verdict {
  const guide = TO_ACKNOWLEDGE[priority]
  if (guide === undefined || median_ms === null || p95_ms === null) return null
  const holds = Number(median_ms <= guide.median_ms) + Number(p95_ms <= guide.p95_ms)
  return holds === 2 ? 'acceptable' : holds === 1 ? 'manageable' : 'beyond'
}

/** Where guide, limit and value stand on a scale that has room for all three, from 0 to 1; a value far beyond stands at its end. */
export function on_scale(
  { good, limit }: Guide,
  value: number,
): { good: number; limit: number; value: number; off: boolean } {
  const end = Math.max(limit * 1.5, good * 3, 1)
  const share = (of: number): number => Math.min(1, Math.max(0, of / end))
  return { good: share(good), limit: share(limit), value: share(value), off: value > end }
}
