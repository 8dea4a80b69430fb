import { describe, expect, it } from 'vitest'
import type { BarValue, TallyLook } from '../../generated/frame'
import { dice } from '../../core/dice.test-support'
import { extent, laid_out, limits_of, ORDER_MS, Places, share_of, value_text } from './tally'

const LOOK: TallyLook = {
  unit: null,
  decimals: 0,
  min: null,
  max: null,
  bands: [],
  target: null,
  targets: {},
  order: 'largest',
  adds: true,
}
const bar = (key: string, value: number | null, state: BarValue['state'] = 'normal'): BarValue => ({
  key,
  value,
  state,
})

describe('places', () => {
  const keys = (bars: readonly BarValue[]): string => bars.map(({ key }) => key).join('')

  it('are kept for a while though values pass each other', () => {
    const places = new Places()
    expect(keys(places.next([bar('a', 3), bar('b', 5), bar('c', null)], 'largest', 0))).toBe('bac')
    expect(keys(places.next([bar('a', 9), bar('b', 5), bar('c', 7)], 'largest', ORDER_MS - 1))).toBe('bac')
    expect(keys(places.next([bar('a', 9), bar('b', 5), bar('c', 7)], 'largest', ORDER_MS))).toBe('acb')
  })

  it('are found anew with another bar, and after the clock was set back', () => {
    const places = new Places()
    places.next([bar('a', 3), bar('b', 5)], 'smallest', 50_000)
    expect(keys(places.next([bar('a', 9), bar('b', 5), bar('d', 6)], 'smallest', 50_001))).toBe('bda')
    expect(keys(places.next([bar('a', 1), bar('b', 5), bar('d', 6)], 'smallest', 10))).toBe('abd')
  })

  it('by name are as people count', () => {
    const places = new Places()
    expect(keys(places.next([bar('L10', 1), bar('L9', 2)], 'key', 0))).toBe('L9L10')
  })
})

describe('what is drawn', () => {
  it('is said where it has no room, with what it comes to, and is never the bad one', () => {
    const all = Array.from({ length: 20 }, (_, one) =>
      bar(`k${String(one)}`, 20 - one, one === 19 ? 'alarm' : 'normal'),
    )
    const laid = laid_out(all, LOOK, { width: 60, height: 20 }, false)
    expect(laid.bars.map(({ key }) => key)).toContain('k19')
    expect(laid.bars.length + laid.hidden).toBe(20)
    const rest = all.filter((one) => !laid.bars.includes(one)).reduce((sum, { value }) => sum + (value ?? 0), 0)
    expect(laid.more).toBe(`+${String(laid.hidden)} more, ${String(rest)} in all`)
    expect(laid_out(all, { ...LOOK, adds: false }, { width: 60, height: 20 }, false).more).toBe(
      `+${String(laid.hidden)} more`,
    )
  })

  it('has room in any panel', () => {
    const throws = dice(7)
    for (let round = 0; round < 300; round += 1) {
      const all = Array.from({ length: throws(40) }, (_, one) => bar(`name ${'x'.repeat(one)}`, throws(1e6)))
      const place = { width: 8 + throws(170), height: 3.6 + throws(80) }
      const laid = laid_out(all, { ...LOOK, unit: 'passengers', target: 5 }, place, round % 2 === 0)
      expect(laid.bars.length + laid.hidden).toBe(all.length)
      const needed = laid.bars.length * laid.row + (laid.hidden > 0 ? 3.4 : 0)
      if (laid.bars.length > 1) expect(needed).toBeLessThanOrEqual(place.height + 0.1)
    }
  })
})

describe('scales', () => {
  it('have zero and what is meant in them', () => {
    expect(extent([bar('a', 5), bar('b', null)], { ...LOOK, targets: { a: 8 } })).toEqual({ low: 0, high: 8 })
    expect(extent([bar('a', -5)], LOOK)).toEqual({ low: -5, high: 0 })
    expect(extent([], { ...LOOK, max: 3 })).toEqual({ low: 0, high: 3 })
    expect(share_of(12, { low: -10, high: 10 })).toBe(1)
    expect(share_of(0, { low: -10, high: 10 })).toBe(0.5)
  })

  it('have the limits that lie on them', () => {
    const bands = [
      { from: null, to: 0, state: 'alarm' as const },
      { from: 5, to: 9, state: 'warning' as const },
    ]
    expect(limits_of({ ...LOOK, bands }, { low: -2, high: 8 })).toEqual([5])
  })
})

it('writes what is known of a value', () => {
  expect(value_text(null, LOOK)).toBe('----')
  expect(value_text(0.125, { unit: '%', decimals: 1 })).toBe('12.5')
  expect(value_text(40, LOOK, true)).toBe('≥ 40')
  expect(value_text(-7.25e15, LOOK)).toBe('\u22127.3e15')
})
