import { describe, expect, it } from 'vitest'
import { patched } from '../../core/held'
import { dice } from '../../core/dice.test-support'
import type { Stretch, TimelineRow } from '../../generated/frame'
import { laid_out, ordered, pieces, said_at, state_now } from './timeline'

const stretch = (from_ms: number, to_ms: number | null, text: string, state: Stretch['state'] = 'normal'): Stretch => ({
  from_ms,
  to_ms,
  text,
  state,
})
const row = (key: string, ...stretches: Stretch[]): TimelineRow => ({ key, label: key, stretches })
const WINDOW = { from_ms: 100, to_ms: 200 }

describe('pieces', () => {
  it('have no hole, and say what nobody knows', () => {
    const found = pieces([stretch(50, 120, 'ok'), stretch(150, null, 'bad', 'alarm')], WINDOW, 200, 1)
    expect(found.map(({ from_ms, to_ms, text }) => [from_ms, to_ms, text])).toEqual([
      [100, 120, 'ok'],
      [120, 150, ''],
      [150, 200, 'bad'],
    ])
  })

  it('end at the newest proof (H1)', () => {
    const found = pieces([stretch(50, null, 'ok')], WINDOW, 160, 1)
    expect(found.at(-1)).toEqual({ from_ms: 160, to_ms: 200, text: '', state: null })
    expect(pieces([stretch(150, 190, 'ok')], WINDOW, 120, 1)).toEqual([
      { from_ms: 100, to_ms: 200, text: '', state: null },
    ])
    expect(said_at(row('a', stretch(50, null, 'ok')), 170, 160)).toBe(null)
  })

  it('that are too narrow to be seen look as the worst there', () => {
    const found = pieces(
      [stretch(100, 140, 'ok'), stretch(140, 141, 'bad', 'alarm'), stretch(141, null, 'ok')],
      WINDOW,
      200,
      10,
    )
    expect(found.map(({ from_ms, to_ms, text }) => [from_ms, to_ms, text])).toEqual([
      [100, 140, 'ok'],
      [140, 150, 'bad'],
      [150, 200, 'ok'],
    ])
  })

  it('cover the window, whatever came', () => {
    const throws = dice(11)
    for (let round = 0; round < 400; round += 1) {
      let at = throws(250)
      const stretches: Stretch[] = []
      for (let one = throws(12); one > 0; one -= 1) {
        const to = at + 1 + throws(40)
        stretches.push(stretch(at, one === 1 ? null : to, 'x', (['alarm', 'normal', 'warning'] as const)[throws(3)]))
        at = to + throws(2) * throws(20)
      }
      const found = pieces(stretches, WINDOW, 100 + throws(101), 1 + throws(9))
      expect(found[0]?.from_ms).toBe(100)
      expect(found.at(-1)?.to_ms).toBe(200)
      found.forEach((piece, index) => {
        expect(piece.to_ms).toBeGreaterThan(piece.from_ms)
        expect(piece.from_ms).toBe(found[index - 1]?.to_ms ?? 100)
      })
    }
  })
})

describe('rows', () => {
  const all = [
    row('b10', stretch(0, null, 'ok')),
    row('b9', stretch(0, 50, 'ok')),
    row('b2', stretch(0, null, 'bad', 'alarm')),
    row('b1', stretch(0, null, 'done', 'muted')),
  ]

  it('stand with the worst first, and what nobody knows before what is well', () => {
    expect(ordered(all, 'worst').map(({ key }) => key)).toEqual(['b2', 'b9', 'b10', 'b1'])
    expect(ordered(all, 'key').map(({ key }) => key)).toEqual(['b1', 'b2', 'b9', 'b10'])
    expect(all.map(state_now)).toEqual(['normal', null, 'alarm', 'muted'])
  })

  it('that have no room are counted, and never the worst', () => {
    const many = Array.from({ length: 30 }, (_, one) =>
      row(`k${String(one)}`, stretch(0, null, 'x', one === 29 ? 'alarm' : one > 20 ? 'warning' : 'normal')),
    )
    const laid = laid_out(many, { width: 80, height: 20 })
    expect(laid.rows.map(({ key }) => key)).toContain('k29')
    expect(laid.more).toBe(`+${String(laid.hidden)} more rows, ${String(8 - (laid.rows.length - 1))} warnings`)
  })
})

/** H3: a change to one row leaves the others as they are, and is nothing without something to change. */
it('rows are patched one by one', () => {
  const look = { kind: 'timeline', keep_ms: 100, order: 'key' } as const
  const [a, b] = [row('a', stretch(0, null, 'ok')), row('b', stretch(0, null, 'ok'))]
  const held = patched(null, look, { kind: 'timeline', whole: true, rows: [a, b] })
  const next = row('b', stretch(0, 5, 'ok'), stretch(5, null, 'bad', 'alarm'))
  const change = { kind: 'timeline', whole: false, rows: [next] } as const
  const now = patched(held, look, { ...change, rows: [...change.rows] })
  expect(now.kind === 'timeline' && now.rows[0] === a && now.rows[1] === next && now.rows.length === 2).toBe(true)
  expect(() => patched(null, look, { ...change, rows: [...change.rows] })).toThrow()
})
