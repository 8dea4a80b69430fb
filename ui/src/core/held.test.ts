// H3: applying every change since a whole value equals taking the whole value anew.
import { describe, expect, test } from 'vitest'
import type { Look, MarkerValue, RowValue, WidgetValue } from '../generated/frame'
import { dice } from './dice.test-support'
import { type Held, NeedsWhole, patched } from './held'

const TABLE: Look = { kind: 'table', columns: [], limit: 20 }
const LOG: Look = { kind: 'log', limit: 12 }
const SERIES: Look = { kind: 'series', draw: 'line', unit: null, decimals: 0, keep_ms: 20_000, bucket_ms: 1_000 }
const MARKERS: Look = { kind: 'markers', bounds: [0, 0, 1, 1], places: [], glide_ms: 0, trail: null }

/** A value that changes at random, and tells itself whole or as what changed since a moment. */
interface Model {
  readonly look: Look
  step(throw_die: (sides: number) => number): void
  whole(): WidgetValue
  /** What changed since the last call. */
  changes(): WidgetValue
}

function table(): Model {
  let rows: RowValue[] = []
  let sent: RowValue[] = []
  const show = (): RowValue[] => rows.slice(0, 20)
  return {
    look: TABLE,
    step(die) {
      const key = `k${String(die(30))}`
      if (die(4) === 0) rows = rows.filter((row) => row.key !== key)
      else {
        const row: RowValue = { key, cells: [{ is: 'number', as: die(50) }], state: 'normal' }
        rows = [...rows.filter((other) => other.key !== key), row]
      }
      rows.sort((a, b) => JSON.stringify(a.cells).localeCompare(JSON.stringify(b.cells)) || a.key.localeCompare(b.key))
    },
    whole: () => ({
      kind: 'table',
      whole: true,
      rows: show(),
      removed: [],
      order: show().map((row) => row.key),
      total: rows.length,
      at_least: false,
    }),
    changes() {
      const now = show()
      const order = now.map((row) => row.key)
      const before = sent.map((row) => row.key)
      const value: WidgetValue = {
        kind: 'table',
        whole: false,
        rows: now.filter((row) => !sent.includes(row)),
        removed: before.filter((key) => !order.includes(key)),
        order: order.join() === before.join() ? null : order,
        total: rows.length,
        at_least: false,
      }
      sent = now
      return value
    },
  }
}

function log(): Model {
  let lines: { number: number; source_ms: number; text: string; state: 'normal' }[] = []
  let total = 0
  let sent = 0
  return {
    look: LOG,
    step(die) {
      for (let more = die(4); more > 0; more -= 1) {
        total += 1
        lines = [
          { number: total, source_ms: total, text: `line ${String(die(99))}`, state: 'normal' as const },
          ...lines,
        ].slice(0, 12)
      }
    },
    whole: () => ({ kind: 'log', whole: true, lines, total }),
    changes() {
      const fresh = lines.filter((line) => line.number > sent)
      sent = total
      return { kind: 'log', whole: false, lines: fresh, total }
    },
  }
}

function series(): Model {
  const lines = new Map<string, Map<number, number | null>>([
    ['a', new Map()],
    ['b', new Map()],
  ])
  let now = 0
  let gaps: [number, number][] = []
  let sent = new Map<string, string>()
  const keep = (): void => {
    const newest = Math.max(-Infinity, ...[...lines.values()].flatMap((points) => [...points.keys()]))
    for (const points of lines.values())
      for (const time of points.keys()) if (time < newest - 21_000) points.delete(time)
  }
  const all = (): { key: string; points: [number, number | null][] }[] =>
    [...lines].map(([key, points]) => ({ key, points: [...points].sort((a, b) => a[0] - b[0]) }))
  return {
    look: SERIES,
    step(die) {
      now += die(3) * 1_000
      // Late events change buckets that were sent before.
      const bucket = Math.max(0, now - die(5) * 1_000)
      lines.get(die(2) === 0 ? 'a' : 'b')?.set(bucket, die(6) === 0 ? null : die(100))
      if (die(20) === 0) gaps = [...gaps, [now - 500, now]]
      keep()
    },
    whole: () => ({ kind: 'series', whole: true, lines: all(), gaps }),
    changes() {
      const changed = all().map(({ key, points }) => ({
        key,
        points: points.filter(([time, value]) => sent.get(`${key} ${String(time)}`) !== String(value)),
      }))
      sent = new Map(
        all().flatMap(({ key, points }) => points.map(([time, value]) => [`${key} ${String(time)}`, String(value)])),
      )
      return { kind: 'series', whole: false, lines: changed, gaps }
    },
  }
}

function markers(): Model {
  const standing = new Map<string, MarkerValue>()
  let sent = new Map<string, MarkerValue>()
  let unplaced = 0
  const rest = (): { total: number; unplaced: number; gaps: [] } => ({
    total: standing.size + unplaced,
    unplaced,
    gaps: [],
  })
  return {
    look: MARKERS,
    step(die) {
      const key = `m${String(die(15))}`
      if (die(4) === 0) standing.delete(key)
      else
        standing.set(key, {
          key,
          lat: die(90),
          lon: die(180),
          heading: null,
          label: null,
          state: 'normal',
          icon: null,
          trail: [],
          trail_whole: false,
        })
      unplaced = die(3)
    },
    whole: () => ({ kind: 'markers', whole: true, markers: [...standing.values()], removed: [], ...rest() }),
    changes() {
      const changed = [...standing.values()].filter((marker) => sent.get(marker.key) !== marker)
      const removed = [...sent.keys()].filter((key) => !standing.has(key))
      sent = new Map(standing)
      return { kind: 'markers', whole: false, markers: changed, removed, ...rest() }
    },
  }
}

/** A held value without the accident of a map's order. */
function plain(held: Held): unknown {
  if (held.kind !== 'markers') return held
  return { ...held, by_key: [...held.by_key].sort(([a], [b]) => a.localeCompare(b)) }
}

describe('changes equal the whole', () => {
  test.each([
    ['table', table],
    ['log', log],
    ['series', series],
    ['markers', markers],
  ])('%s', (_kind, make) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const model = make()
      const die = dice(seed)
      model.changes()
      let held = patched(null, model.look, model.whole())
      for (let step = 0; step < 60; step += 1) {
        for (let more = die(4); more >= 0; more -= 1) model.step(die)
        held = patched(held, model.look, model.changes())
        expect(plain(held), `seed ${String(seed)} step ${String(step)}`).toEqual(
          plain(patched(null, model.look, model.whole())),
        )
      }
    }
  })
})

test('a change to nothing asks for the whole', () => {
  for (const model of [table(), log(), series(), markers()]) {
    expect(() => patched(null, model.look, model.changes())).toThrow(NeedsWhole)
  }
})

test('an order with a row that was never sent asks for the whole', () => {
  const held = patched(null, TABLE, {
    kind: 'table',
    whole: true,
    rows: [],
    removed: [],
    order: [],
    total: 0,
    at_least: false,
  })
  const change: WidgetValue = {
    kind: 'table',
    whole: false,
    rows: [],
    removed: [],
    order: ['ghost'],
    total: 1,
    at_least: false,
  }
  expect(() => patched(held, TABLE, change)).toThrow(NeedsWhole)
})

test('the same change twice changes nothing more', () => {
  for (const make of [table, log, series, markers]) {
    const model = make()
    const die = dice(7)
    model.changes()
    const start = patched(null, model.look, model.whole())
    for (let step = 0; step < 8; step += 1) model.step(die)
    const change = model.changes()
    const once = patched(start, model.look, change)
    expect(plain(patched(once, model.look, change))).toEqual(plain(once))
  }
})

test('what did not change keeps its identity, so that nothing is repainted for it', () => {
  const model = markers()
  model.step(dice(1))
  const held = patched(null, MARKERS, model.whole())
  const same = patched(held, MARKERS, {
    kind: 'markers',
    whole: false,
    markers: [],
    removed: [],
    total: 1,
    unplaced: 0,
    gaps: [],
  })
  expect(same.kind === 'markers' && held.kind === 'markers' && same.by_key === held.by_key).toBe(true)
})
