// What is shown of alarms, and what a hand acknowledges at once (H6): never what it hasn't seen, and never a critical one.
import { expect, test } from 'vitest'
import type { AlarmCount, AlarmState, AlarmsView, AlarmView } from '../generated/frame'
import {
  acts_of,
  awaited,
  bands,
  blinks,
  calls,
  cause_text,
  hidden_calls,
  is_over,
  is_reason,
  listed,
  most_urgent,
  named,
  newest_call,
  next_of,
  NO_FILTER,
  ORDERS,
  parts_in,
  pressed,
  PRIORITIES,
  says_anything,
  shelf_minutes,
  since_ms,
  where_text,
  which_of,
  WHICH,
  worded,
} from './alarms'
import { dice } from './dice.test-support'

const STATES: readonly AlarmState[] = [
  'unacknowledged',
  'latched-unacknowledged',
  'acknowledged',
  'latched-acknowledged',
  'returned',
  'shelved',
  'suppressed',
  'out-of-service',
  'unsupervised',
  'removed',
  'normal',
]

function alarm(part: Partial<AlarmView> = {}): AlarmView {
  const state = part.state ?? 'unacknowledged'
  return {
    key: 'pump',
    occurrence: 1,
    title: 'Pump 3 stands',
    priority: 'high',
    state,
    wants_acknowledgement: ['unacknowledged', 'latched-unacknowledged', 'returned'].includes(state),
    evidence: 'live',
    raised_ms: 1_000,
    returned_ms: null,
    decided_ms: 2_000,
    realarms: 0,
    first: false,
    nuisance: null,
    cause: [],
    widgets: ['pumps'],
    acknowledged: null,
    aside: null,
    comments: [],
    ...part,
  }
}

function view(list: readonly AlarmView[], part: Partial<AlarmsView> = {}): AlarmsView {
  const counts = PRIORITIES.map((priority): AlarmCount => {
    const own = list.filter((one) => one.priority === priority)
    return {
      priority,
      unacknowledged: own.filter(calls).length,
      acknowledged: own.filter((one) => which_of(one) === 'acknowledged').length,
    }
  })
  return {
    list: [...list],
    total: list.length,
    counts,
    aside: 0,
    unsupervised: 0,
    flood: null,
    lost: 0,
    ...part,
  }
}

const nowhere = (): string => ''

/** Alarms of all kinds, as a seed has them. */
function many(seed: number, count = 60): AlarmView[] {
  const roll = dice(seed)
  const pick = <T>(all: readonly T[]): T => all[roll(all.length)] as T
  return Array.from({ length: count }, (_, at) =>
    alarm({
      key: `rule/${String(at)}`,
      occurrence: roll(5),
      title: `${pick(['Pump', 'Belt', 'Gate'])} ${String(at)}`,
      state: pick(STATES),
      priority: pick(PRIORITIES),
      evidence: pick(['live', 'stale', 'bad', 'unknown'] as const),
      raised_ms: roll(10) === 0 ? null : roll(1_000_000),
      widgets: pick([[], ['pumps'], ['belts', 'pumps']]),
    }),
  )
}

test('what is acknowledged at once is what stood there and calls, each as it was, and never a critical one (H6)', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const rows = many(seed)
    const { seen, left } = pressed(rows)
    const names = new Set(seen.map(([key, occurrence]) => named({ key, occurrence })))
    for (const one of rows) expect(names.has(named(one))).toBe(calls(one) && one.priority !== 'critical')
    expect(left).toBe(rows.filter((one) => calls(one) && one.priority === 'critical').length)
    // What comes after the press, and another occurrence of the same, is not among them.
    for (const one of rows) expect(names.has(named({ ...one, occurrence: one.occurrence + 10 }))).toBe(false)
  }
})

test('an act is awaited until a frame says that this occurrence calls no more (H6)', () => {
  const asked = new Map([[named(alarm()), 5]])
  expect(awaited(asked, [alarm()], true)).toEqual(asked)
  expect(awaited(asked, [alarm({ state: 'latched-unacknowledged' })], true).size).toBe(1)
  expect(awaited(asked, [alarm({ state: 'acknowledged' })], true).size).toBe(0)
  expect(awaited(asked, [alarm({ occurrence: 2 })], false).size).toBe(0)
  expect(awaited(asked, [], true).size).toBe(0)
  // Of what these don't tell nothing is known yet.
  expect(awaited(asked, [], false)).toEqual(asked)
})

test('the newest that calls is the newest of all that call, whatever is sorted or filtered', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const rows = many(seed)
    const calling = rows.filter(calls)
    const newest = newest_call(rows)
    if (calling.length === 0) expect(newest).toBeNull()
    else expect(since_ms(newest as AlarmView)).toBe(Math.max(...calling.map((one) => since_ms(one) ?? 0)))
  }
})

test('each alarm is in one of the lists, and all of them together are all', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const rows = many(seed)
    const apart = WHICH.flatMap((which) => listed(rows, { ...NO_FILTER, which }, 'urgency', nowhere))
    expect(apart.map(({ key }) => key).sort()).toEqual(rows.map(({ key }) => key).sort())
    const by_priority = PRIORITIES.flatMap((priority) => listed(rows, { ...NO_FILTER, priority }, 'title', nowhere))
    expect(by_priority).toHaveLength(rows.length)
    for (const order of ORDERS) expect(new Set(listed(rows, NO_FILTER, order, nowhere))).toEqual(new Set(rows))
    expect(listed(rows, NO_FILTER, 'urgency', nowhere)).toEqual(rows)
  }
})

test('orders are what they are called; those of one rank stay in the backend’s', () => {
  const rows = [
    alarm({ key: 'b', title: 'Belt', priority: 'low', raised_ms: 3 }),
    alarm({ key: 'a', title: 'Alarm', state: 'acknowledged', raised_ms: 9 }),
    alarm({ key: 'c', title: 'Cooling', priority: 'critical', state: 'shelved', raised_ms: 5 }),
    alarm({ key: 'd', title: 'Drain', priority: 'low', raised_ms: null, decided_ms: 4 }),
  ]
  const keys = (order: (typeof ORDERS)[number]): string =>
    listed(rows, NO_FILTER, order, nowhere)
      .map(({ key }) => key)
      .join('')
  expect(ORDERS.map(keys)).toEqual(['bacd', 'acdb', 'cabd', 'bdac', 'abcd'])
})

test('words are found in title, key, place, group and cause, all of them and in any order', () => {
  const rows = [
    alarm({ key: 'tank/7', title: 'Tank too full', group: 'harbour', cause: [{ name: 'level', value: '9.2' }] }),
    alarm({ key: 'x' }),
  ]
  const found = (find: string): number =>
    listed(rows, { ...NO_FILTER, find }, 'urgency', () => 'Hall B').filter(({ key }) => key === 'tank/7').length
  for (const find of ['full tank', 'HARBOUR', 'level 9.2', 'hall', 'tank/7', '']) expect(found(find), find).toBe(1)
  expect(found('full harbour nothing')).toBe(0)
  expect(hidden_calls(rows, listed(rows, { ...NO_FILTER, find: 'tank' }, 'urgency', nowhere))).toBe(1)
})

test('a widget wears the most urgent of its alarms; what is aside or not watched over has no band', () => {
  const list = [
    alarm({ key: 'first', widgets: ['a', 'b'] }),
    alarm({ key: 'second', priority: 'low', widgets: ['b', 'c'], state: 'returned' }),
    ...(['shelved', 'suppressed', 'out-of-service', 'unsupervised', 'removed', 'normal'] as const).map((state) =>
      alarm({ key: state, state, widgets: ['d'] }),
    ),
  ]
  const all = bands(view(list), false)
  expect([...all].map(([id, { key }]) => [id, key])).toEqual([
    ['a', 'first'],
    ['b', 'first'],
    ['c', 'second'],
  ])
  expect(all.get('c')).toMatchObject({ over: true, calls: true, blinks: false, believed: true })
  expect(bands(null, false).size).toBe(0)
})

test('only what is urgent, holds, calls and is proven to be of now blinks; nothing of a heap, and nothing on a frozen wall (H1)', () => {
  for (const state of STATES)
    for (const priority of PRIORITIES)
      for (const evidence of ['live', 'stale', 'bad', 'unknown'] as const) {
        const one = alarm({ state, priority, evidence })
        const wanted = state === 'unacknowledged' && ['critical', 'high'].includes(priority) && evidence === 'live'
        expect(blinks(one, view([one]), false)).toBe(wanted)
        expect(blinks(one, view([one]), true)).toBe(false)
      }
  const heap = Array.from({ length: 13 }, (_, at) => alarm({ key: String(at) }))
  expect(blinks(alarm(), view(heap), false)).toBe(false)
  expect(blinks(alarm(), view(heap.slice(1)), false)).toBe(true)
})

test('the head line speaks of what stands, of rules that nobody watches over and of a flood, and else is silent', () => {
  expect(says_anything(null)).toBe(false)
  expect(says_anything(view([]))).toBe(false)
  expect(says_anything(view([], { aside: 3 }))).toBe(false)
  expect(says_anything(view([], { unsupervised: 1 }))).toBe(true)
  expect(says_anything(view([], { flood: { since_ms: 0, total: 12 } }))).toBe(true)
  expect(says_anything(view([alarm({ state: 'acknowledged' })]))).toBe(true)
  expect(most_urgent(view([alarm({ state: 'acknowledged' }), alarm({ key: 'b', state: 'returned' })]))?.key).toBe('b')
  expect(most_urgent(view([alarm({ state: 'acknowledged' })]))).toBeNull()
})

test('only what a state allows is offered, and no shelf is longer than it may be', () => {
  expect(acts_of(alarm())).toEqual(['acknowledge', 'silence', 'shelve', 'take-out', 'comment'])
  expect(acts_of(alarm({ state: 'latched-acknowledged' }))).toContain('reset')
  expect(acts_of(alarm({ state: 'latched-unacknowledged' }))).not.toContain('reset')
  expect(acts_of(alarm({ state: 'shelved' }))).toEqual(['unshelve', 'take-out', 'comment'])
  expect(acts_of(alarm({ state: 'out-of-service' }))).toEqual(['return', 'comment'])
  expect(acts_of(alarm({ state: 'removed' }))).toEqual([])
  expect(shelf_minutes({ priority: 'critical' })).toEqual([15, 30, 60])
  expect(shelf_minutes({ priority: 'low' })).toEqual([15, 30, 60, 120, 240, 480, 720])
  expect([' ab ', 'abc', 'é😀x', 'a'.repeat(501)].map(is_reason)).toEqual([false, true, true, false])
  expect(STATES.filter((state) => is_over(alarm({ state })))).toEqual([
    'latched-unacknowledged',
    'latched-acknowledged',
    'returned',
    'removed',
    'normal',
  ])
})

test('what has no room goes from the end; the first part and its time stay', () => {
  const line = ['A title of some length', 'since 14:02:11', 'Hall B', '']
  const all = parts_in(100, line, 1)
  expect(all.parts).toEqual(['since 14:02:11', 'Hall B'])
  const few = parts_in(18, line, 1)
  expect(few.parts).toEqual(['since 14:02:11'])
  expect(few.whole_em).toBeLessThan(18)
  expect(parts_in(6, line, 1).parts).toEqual([])
})

test('where it is, of what it was made, and what comes next', () => {
  const titles = (id: string): string | null => (id === 'pumps' ? 'Pumps' : null)
  expect(where_text(alarm({ key: 'pump/7' }), titles)).toBe('7, Pumps')
  expect(where_text(alarm({ key: 'pump/7', title: 'Pump 7 stands' }), titles)).toBe('Pumps')
  expect(where_text(alarm({ widgets: ['gone'] }), titles)).toBe('')
  expect(
    cause_text(
      alarm({
        cause: [
          { name: 'a', value: '1' },
          { name: 'b', value: '' },
        ],
      }),
    ),
  ).toBe('a 1, b')
  const own = [{ name: 'text', value: '20 parcels at risk' }]
  expect(cause_text(alarm({ cause: own, widgets: [] }))).toBe('20 parcels at risk')
  expect(cause_text(alarm({ cause: own, widgets: ['text'] }))).toBe('text 20 parcels at risk')
  const causes = ['0.2549019607843137', '31.4', '-0.00123456', '12345.678', '42', 'on', '1.2.3', '1e9', '']
  expect(causes.map((value) => cause_text(alarm({ cause: [{ name: 'x', value }] })))).toEqual([
    'x 0.2549',
    'x 31.4',
    'x −0.001235',
    'x 12\u2009346',
    'x 42',
    'x on',
    'x 1.2.3',
    'x 1e9',
    'x',
  ])
  expect(next_of(PRIORITIES, null)).toBe('critical')
  expect(next_of(PRIORITIES, 'low')).toBeNull()
})

test('of a lost source the page says that it is lost; all others are as they came', () => {
  const all = view([alarm(), alarm({ key: 'source:ops', title: 'Radar', source: 'ops', widgets: [] })])
  expect(worded(all)?.list.map(({ title }) => title)).toEqual(['Pump 3 stands', 'Radar is lost'])
  const plain = view([alarm()])
  expect(worded(plain)).toBe(plain)
  expect(worded(null)).toBeNull()
})
