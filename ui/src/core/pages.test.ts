import { describe, expect, it } from 'vitest'
import { own_pages, page_words, share_left, turned } from './pages'

describe('the line of pages', () => {
  it('says how a page is that is out of sight', () => {
    expect(page_words({ state: 'normal', unwell: 0 })).toBe('')
    expect(page_words({ state: 'alarm', unwell: 2 })).toBe('alarm, 2 not live')
    expect(page_words({ state: 'warning', unwell: 0 })).toBe('warning')
    expect(page_words({ state: 'muted', unwell: 1 })).toBe('1 not live')
  })

  it('shows how much time a page has left, and nothing where nothing turns it', () => {
    const pages = [{ id: 'a', title: 'A', dwell_ms: 20_000 }]
    const shown = { number: 0, why: 'rotation' as const, left_ms: 5_000, marks: [] }
    expect(share_left(shown, pages)).toBe(0.25)
    // A hand's minute is longer than the page's own time.
    expect(share_left({ ...shown, why: 'hand', left_ms: 60_000 }, pages)).toBe(1)
    expect(share_left({ ...shown, left_ms: null }, pages)).toBeNull()
    expect(share_left({ ...shown, number: 3 }, pages)).toBeNull()
    expect(share_left(null, pages)).toBeNull()
  })

  it('has the pages of its screen', () => {
    const shown = { number: 2, why: 'rotation' as const, left_ms: null, marks: [] }
    expect([own_pages(null, 3), own_pages(shown, 2)]).toEqual([
      [0, 1, 2],
      [0, 1],
    ])
    expect(own_pages({ ...shown, own: [2, 0] }, 3)).toEqual([2, 0])
    // Of a board that was read again meanwhile.
    expect([own_pages({ ...shown, own: [2, 0] }, 1), own_pages({ ...shown, own: [7] }, 2)]).toEqual([[0], [0, 1]])
  })

  it('turns the pages of a record', () => {
    expect([turned(0, 'next', 3), turned(2, 'next', 3), turned(0, 'previous', 3)]).toEqual([1, 0, 2])
    expect([turned(0, 2, 3), turned(0, 3, 3), turned(0, 'pin', 3), turned(0, 'next', 1)]).toEqual([2, null, null, null])
  })
})
