import { describe, expect, it } from 'vitest'
import { drill_words } from './drill'

const HOUR_MS = 3_600_000

describe('the last lamp test', () => {
  it('says first what was wrong with it', () => {
    const last = { at_ms: 0, passed: 8, failed: 0, untested: 0, ended: null }
    expect(drill_words(null, 0)).toBe('never done')
    expect(drill_words(last, 8 * HOUR_MS)).toMatch(/^8 passed, 8 h.* ago$/)
    expect(drill_words({ ...last, passed: 6, failed: 2 }, 0)).toMatch(/^2 FAILED, .* ago$/)
    expect(drill_words({ ...last, untested: 1 }, 0)).toMatch(/^8 passed, 1 not tested, /)
    expect(drill_words({ ...last, ended: 'at the wall' }, 0)).toMatch(/^ended before its end, /)
  })
})
