// What a number's panel says, in as much room as it has: nothing of it is cut off, and the page judges nothing.
import { describe, expect, test } from 'vitest'
import type { BandLook } from '../../generated/frame'
import { figure_width_em } from '../../core/format'
import { change_words, draw_of, figure_layout, fitting_number, type OneNumber, spark, target_words } from './figure'

describe('a sparkline', () => {
  const bands: BandLook[] = [
    { from: null, to: 2, state: 'normal' },
    { from: 20, to: 30, state: 'warning' },
    { from: 30, to: null, state: 'alarm' },
  ]

  test('has its target in its picture, however far off that is', () => {
    const { target, end } = spark([1, 2, 3], { target: 80, bands: [], state: 'normal' })
    expect(target).toBe(4)
    expect(end?.y).toBeGreaterThan(90)
    expect(spark([1, 2, 3]).target).toBeNull()
    expect(spark([5, 5], { target: 5, bands: [], state: 'normal' })).toMatchObject({ target: 50, end: { y: 50 } })
    expect(spark([null, null], { target: 80, bands, state: 'normal' })).toMatchObject({ target: null, shades: [] })
  })

  test('has the stretches that mean something behind it, as far as they are in its picture', () => {
    const { shades } = spark([10, 25], { target: null, bands, state: 'warning' })
    expect(shades).toEqual([{ top: 0, bottom: expect.closeTo(34.67, 1), state: 'warning', is_in: true }])
    expect(spark([22, 25], { target: null, bands, state: 'warning' }).shades).toMatchObject([
      { top: 0, bottom: 100, is_in: true },
    ])
    expect(spark([10, 15], { target: null, bands, state: 'normal' }).shades).toEqual([])
    // One that never moved.
    expect(spark([31, 31], { target: null, bands, state: 'alarm' }).shades).toEqual([
      { top: 0, bottom: 100, state: 'alarm', is_in: true },
    ])
  })
})

describe('a change', () => {
  const worse = { by: 6, decimals: 0, toward: 'worse', span: 'in 2 h' } as const

  test('is said with what it means, which is worth more than the time in which it came', () => {
    const said = (room_em: number) => change_words(worse, { room_em, keeps_em: 0 })
    expect(said(9)).toEqual({
      direction: 'up',
      number: '+6',
      span: 'in 2 h',
      toward: 'worse',
      worded: true,
      pointed: true,
    })
    expect(said(5)).toMatchObject({ span: null, worded: true, pointed: true })
    expect(said(4)).toMatchObject({ span: null, worded: true, pointed: false })
    expect(said(3)).toMatchObject({ span: null, worded: false, pointed: true })
    expect(change_words({ ...worse, toward: null }, { room_em: 5, keeps_em: 0 })).toMatchObject({ span: 'in 2 h' })
  })

  test('that is written as none is not judged', () => {
    expect(change_words({ ...worse, by: 0.3 }, { room_em: 9, keeps_em: 0 })).toMatchObject({
      number: '±0',
      toward: null,
      worded: false,
    })
  })

  test('of more digits than have room has fewer', () => {
    const huge = { ...worse, by: 2_175_000_000_000_000, toward: null }
    expect(change_words(huge, { room_em: 4, keeps_em: 0 })).toMatchObject({ number: '+2.2e15', span: null })
    expect(change_words({ ...huge, by: -huge.by }, { room_em: 4, keeps_em: 0 }).number).toBe('−2.2e15')
  })

  test('keeps its words while its number has fewer digits than before', () => {
    expect(change_words(worse, { room_em: 6.5, keeps_em: 4 }).span).toBeNull()
  })
})

test('the way to the target is said in the longest form that fits, or not at all', () => {
  const off = { by: -3, decimals: 0, target: '80' }
  expect(target_words(off, 20)).toBe('−3 to target 80')
  expect(target_words(off, 6)).toBe('−3 to target')
  expect(target_words(off, 2)).toBeNull()
  expect(target_words({ ...off, by: 2.5, decimals: 1 }, 20)).toBe('+2.5 to target 80')
  expect(target_words({ ...off, by: 0.04, decimals: 1 }, 20)).toBe('on target 80')
})

test('a number that doesn’t fit is written with fewer digits and seen to be so', () => {
  expect(fitting_number(1_234_567, 0, 20)).toBe('1\u2009234\u2009567')
  expect(fitting_number(1_234_567, 0, 4)).toBe('1.23e6')
  expect(fitting_number(-1_234_567, 1, 3)).toBe('−1e6')
  expect(fitting_number(0.00042, 6, 4)).toBe('4.20e-4')
  // Of nothing shorter there is none: it is drawn smaller, and still whole.
  expect(fitting_number(12, 0, 0.5)).toBe('12')
  expect(fitting_number(Infinity, 0, 1)).toBe('over range')
  for (const value of [7.25e15, -7.25e15, 123_456.789, 9_999_999, 1e300]) {
    for (const room_em of [3.2, 4, 5, 8]) {
      expect(figure_width_em(fitting_number(value, 2, room_em))).toBeLessThanOrEqual(room_em + 0.3)
    }
  }
})

test('a panel’s room is shared by its shape', () => {
  const of = (width: number, height: number, trending = true) => figure_layout({ width, height, trending })
  expect(of(45, 18)).toMatchObject({ lines: 2, stacked: false, pointed: true })
  expect(of(45, 8)).toMatchObject({ lines: 1, stacked: false })
  expect(of(28, 8)).toMatchObject({ lines: 1, pointed: false })
  expect(of(28, 40)).toMatchObject({ lines: 2, stacked: true })
  expect(of(45, 18, false).lines).toBe(1)
  // Words are larger in a larger panel, and never smaller than can be read.
  expect(of(62, 30).size).toBeGreaterThan(3.5)
  for (const width of [12, 28, 62, 190])
    for (const height of [5, 12, 30, 90]) expect(of(width, height).size).toBeGreaterThanOrEqual(2.5)
})

test('a board of before there was a choice is drawn as its kind is', () => {
  const look = { kind: 'gauge', draw: null, bands: [] } as unknown as OneNumber
  expect([draw_of(look), draw_of({ ...look, kind: 'rate' }), draw_of({ ...look, draw: 'bar' })]).toEqual([
    'scale',
    'figure',
    'bar',
  ])
})
