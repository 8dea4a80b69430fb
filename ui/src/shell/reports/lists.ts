/** What a report lists, line by line, in the page's words. */
import type { AlarmAside, AlarmReport, AlarmShare, Priority, Unrecorded } from '../../generated/frame'
import { say } from '../../words/say'
import type { LiveWall } from '../../wall.svelte'
import { name_of, widgets_of } from './names'
import { length_text, percent_text, who_text } from './texts'

export const LISTS = ['floods', 'chattering', 'fleeting', 'standing', 'aside', 'unrecorded'] as const
export type List = (typeof LISTS)[number]

/** Where a line can be looked at: at its widgets, and in what the glass showed at an instant of this machine's clock. */
export interface Aim {
  readonly key: string
  readonly widgets: string[]
  readonly past_ms: number | null
}

export interface Listed {
  readonly title: string
  readonly detail: string
  readonly priority: Priority | null
  readonly aim: Aim
}

export interface Listing {
  readonly lines: readonly Listed[]
  /** How many there are. */
  readonly count: number
}

export const aim_of = (names: AlarmReport['names'], key: string, past_ms: number | null = null): Aim => ({
  key,
  widgets: widgets_of(names, key),
  past_ms,
})
/** Of what is no alarm: into the record alone. */
const past_aim = (past_ms: number): Aim => ({ key: '', widgets: [], past_ms })

export function unrecorded_line(live: LiveWall, { from_ms, to_ms, why }: Unrecorded): Listed {
  return {
    title: live.zone.stretch(from_ms, to_ms, live.beat * 1000),
    detail: `${length_text(to_ms - from_ms)}, ${say(`unrecorded.${why}`)}`,
    priority: null,
    aim: past_aim(from_ms),
  }
}

/** All lists of a report. */
export function listings_of(live: LiveWall, report: AlarmReport): Readonly<Record<List, Listing>> {
  const now_ms = live.beat * 1000
  const instant = (ms: number): string => live.zone.instant(ms, now_ms)
  const times = (shares: readonly AlarmShare[], count: number): Listing => ({
    count,
    lines: shares.map(({ key, count, percent }) => ({
      title: name_of(report.names, key),
      detail: say('report.times', { count, percent: percent_text(percent) }),
      priority: null,
      aim: aim_of(report.names, key),
    })),
  })
  const put = ({ what, by, station, until_ms, words }: AlarmAside, at: string): string => {
    const who =
      by === null && station === null ? say('report.by-board') : who_text({ name: by, station: station ?? '' })
    return [
      `${say(`report.aside.${what === 'shelve' || what === 'suppress' ? what : 'take-out'}`)} ${at}`,
      who,
      until_ms === null ? '' : say('alarm.until', { time: live.zone.moment(until_ms, now_ms) }),
      words ?? '',
    ]
      .filter(Boolean)
      .join(', ')
  }
  return {
    floods: {
      count: report.floods_count,
      lines: report.floods.map(({ from_ms, to_ms, peak, total }) => ({
        title:
          to_ms === null
            ? `${instant(from_ms)}–, ${say('report.goes-on')}`
            : `${live.zone.stretch(from_ms, to_ms, now_ms)}, ${length_text(to_ms - from_ms)}`,
        detail: say('report.flood', { alarms: say('count.alarm', { count: total }), peak }),
        priority: null,
        aim: past_aim(from_ms),
      })),
    },
    chattering: times(report.chattering, report.chattering_count),
    fleeting: times(report.fleeting, report.fleeting_count),
    standing: {
      count: report.standing_count,
      lines: report.standing.map(({ key, priority, since_ms, raised_ms }) => ({
        title: name_of(report.names, key),
        detail: [
          say('alarm.since', {
            time: raised_ms === null ? instant(since_ms) : live.zone.instant(raised_ms, live.slow_board_ms),
          }),
          length_text(report.to_ms - since_ms),
        ].join(', '),
        priority,
        aim: aim_of(report.names, key),
      })),
    },
    aside: {
      count: report.aside_count,
      lines: report.aside.map((one) => ({
        title: name_of(report.names, one.key),
        detail: put(one, instant(one.at_ms)),
        priority: null,
        aim: aim_of(report.names, one.key, one.at_ms),
      })),
    },
    unrecorded: {
      count: report.unrecorded_count,
      lines: report.unrecorded.map((one) => unrecorded_line(live, one)),
    },
  }
}
