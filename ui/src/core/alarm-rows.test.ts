// What a hand is told of alarms that no frame has, by the same rules as of those that one has (H1, H6).
import { afterEach, expect, test } from 'vitest'
import type { AlarmRowsFound, AlarmsView, AlarmView } from '../generated/frame'
import { write_numbers_as } from '../words/numerals'
import { is_of, is_partial, of_answer, of_frame, query_of, SEEN_MAX, seen_too, type Seen } from './alarm-rows'
import { listed, named, NO_FILTER, spellings } from './alarms'

afterEach(() => {
  write_numbers_as('en')
})

function alarm(key: string, part: Partial<AlarmView> = {}): AlarmView {
  return {
    key,
    occurrence: 1,
    title: key,
    priority: 'high',
    state: 'unacknowledged',
    wants_acknowledgement: true,
    evidence: 'live',
    raised_ms: 1_000,
    returned_ms: null,
    decided_ms: 2_000,
    realarms: 0,
    first: false,
    nuisance: null,
    cause: [],
    widgets: [],
    acknowledged: null,
    aside: null,
    comments: [],
    ...part,
  }
}

const acknowledged = { state: 'acknowledged', wants_acknowledgement: false } as const
const view = (list: AlarmView[], total = list.length): AlarmsView => ({
  ...{ list, total, counts: [], aside: 0, unsupervised: 0, flood: null, lost: 0 },
})
const found = (rows: AlarmView[], part: Partial<AlarmRowsFound> = {}): AlarmRowsFound => ({
  ...{ revision: 1, offset: 300, rows, matched: 400, total: 5_000, calls_hidden: 7, newest: null, own: null, at: null },
  ...{ seen: [], seen_critical: 0 },
  ...part,
})
const nobody: Seen = new Map()
const nowhere = (): string => ''

test('a frame is all there is, or a part of it, and says which', () => {
  expect(is_partial(view([alarm('a')]))).toBe(false)
  expect(is_partial(view([alarm('a')], 2))).toBe(true)
  // Of a record of before there was a total.
  expect(is_partial(view([alarm('a')], 0))).toBe(false)
  const rows = of_frame(view([alarm('a'), alarm('b', acknowledged)], 900), NO_FILTER, 'urgency', nowhere, nobody)
  expect([rows.matched, rows.of, rows.hidden, rows.newest?.key]).toEqual([2, 2, 0, 'a'])
})

test('an answer’s numbers are of all; a newer frame’s word on an alarm counts more', () => {
  const answer = found([alarm('a'), alarm('b')], { newest: alarm('b', { raised_ms: 9_000 }) })
  const rows = of_answer(answer, null)
  expect([rows.offset, rows.matched, rows.of, rows.hidden, rows.newest?.key]).toEqual([300, 400, 5_000, 7, 'b'])
  const newer = of_answer(answer, view([alarm('c', { raised_ms: 5_000 }), alarm('b', acknowledged)], 5_000))
  expect(newer.rows.map(({ state }) => state)).toEqual(['unacknowledged', 'acknowledged'])
  expect(newer.newest?.key).toBe('c')
})

test('what is asked for is what has room and some around it, never more than comes', () => {
  const query = query_of({ offset: 40, room: 15 }, { ...NO_FILTER, find: ' Pump  NORTH ' }, 'title', 'x', nobody)
  expect([query.offset, query.count, query.order, query.key]).toEqual([25, 45, 'title', 'x'])
  expect(query.words).toEqual([['pump'], ['north']])
  expect(query.lost).toContain('{source}')
  expect(query_of({ offset: 3, room: 150 }, NO_FILTER, 'urgency', null, nobody).count).toBe(200)
  expect(is_of(query, { ...query, offset: 900, key: null })).toBe(true)
  expect(is_of(query, { ...query, words: [] })).toBe(false)
})

test('of what was seen the newest are kept, and only what calls (H5, H6)', () => {
  const many = Array.from({ length: SEEN_MAX + 5 }, (_, at) => alarm(`a${String(at)}`))
  const seen = seen_too(nobody, many)
  expect(seen.size).toBe(SEEN_MAX)
  expect(seen.has(named(alarm('a4')))).toBe(false)
  expect(seen.has(named(alarm(`a${String(SEEN_MAX + 4)}`)))).toBe(true)
  expect(seen_too(seen, [alarm('a9', acknowledged)])).toBe(seen)
  const rows = of_frame(view(many), NO_FILTER, 'urgency', nowhere, seen)
  expect(rows.seen.seen.length).toBe(SEEN_MAX)
})

test('a number is found as it is written here and as it came', () => {
  expect(spellings('31.4')).toEqual(['31.4'])
  expect(spellings('−31.4')).toEqual(['−31.4', '-31.4'])
  expect(spellings('a.b')).toEqual(['a.b'])
  write_numbers_as('de')
  expect(spellings('12.345,6')).toEqual(['12.345,6', '12345.6'])
  const hot = alarm('hot', { cause: [{ name: 't', value: '-12345.678' }] })
  const finds = (find: string): number => listed([hot], { ...NO_FILTER, find }, 'urgency', nowhere).length
  expect(['−12.346', '-12345.678', '-12345,678', '345', '12.347'].map(finds)).toEqual([1, 1, 1, 1, 0])
})
