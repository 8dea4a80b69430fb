// Clocks of several zones, and how they share a panel.
import { describe, expect, test } from 'vitest'
import { Zone } from '../../core/format'
import { LINE } from '../../core/sizes'
import { clock_shape, clock_words, type ClockRoom, face, told } from './clock'

const OWN = new Zone('Europe/Zurich')
const at = (text: string): number => Date.parse(text)
const faces = (zones: readonly string[], now: string, date = false) =>
  told(zones.map((zone) => ({ zone, name: zone }))).map((zone) => face(zone, OWN, at(now), date))

describe('what they say', () => {
  test('each zone’s time, and its day where that is another one', () => {
    const said = faces(['Europe/Zurich', 'Asia/Tokyo', 'America/New_York'], '2026-11-28T18:00:00Z')
    expect(said.map(({ time, day }) => [time, day])).toEqual([
      ['19:00', ''],
      ['03:00', 'Sun 29 Nov'],
      ['13:00', ''],
    ])
    expect(faces(['Europe/Zurich'], '2026-11-28T18:00:00Z', true)[0]?.day).toBe('Sat 28 Nov')
    expect(clock_words(said)).toBe('Europe/Zurich 19:00, Asia/Tokyo 03:00 Sun 29 Nov, America/New_York 13:00')
  })

  test('right over each zone’s change of summer time', () => {
    const zones = ['Europe/Zurich', 'America/New_York', 'Asia/Tokyo']
    const times = (now: string): string[] => faces(zones, now).map(({ time }) => time)
    // America changes three weeks before Europe in spring, and one after it in autumn.
    expect(times('2026-03-08T06:59:00Z')).toEqual(['07:59', '01:59', '15:59'])
    expect(times('2026-03-08T07:00:00Z')).toEqual(['08:00', '03:00', '16:00'])
    expect(times('2026-03-29T00:59:00Z')).toEqual(['01:59', '20:59', '09:59'])
    expect(times('2026-03-29T01:00:00Z')).toEqual(['03:00', '21:00', '10:00'])
    expect(times('2026-10-25T00:59:00Z')).toEqual(['02:59', '20:59', '09:59'])
    expect(times('2026-10-25T01:00:00Z')).toEqual(['02:00', '21:00', '10:00'])
  })

  test('a zone that this web view doesn’t know has no time of another one (H1)', () => {
    const [mars] = faces(['Mars/Olympus'], '2026-11-28T18:00:00Z')
    expect(mars).toEqual({ name: 'Mars/Olympus', time: '----', half: '', day: 'not known here' })
    expect(clock_words(mars === undefined ? [] : [mars])).toBe('Mars/Olympus not known here')
  })
})

describe('how they share their room', () => {
  const room = (count: number, width: number, height: number, more: Partial<ClockRoom> = {}): ClockRoom => ({
    width,
    height,
    small_px: 25,
    names_em: Array.from({ length: count }, () => 4),
    named: true,
    dated: false,
    seconds: false,
    ...more,
  })

  test('one fills it, three in a wide one stand beside each other, in a high one below', () => {
    expect(clock_shape(room(1, 400, 200, { named: false }))).toMatchObject({ shown: 1, across: 1 })
    expect(clock_shape(room(3, 1_200, 200))).toMatchObject({ shown: 3, across: 3, beside: false, hidden: 0 })
    expect(clock_shape(room(3, 400, 900))).toMatchObject({ shown: 3, across: 1, beside: false })
    // In a low one names stand beside their digits.
    expect(clock_shape(room(2, 900, 45))).toMatchObject({ shown: 2, across: 2, beside: true })
  })

  test('digits and words never take more than there is, and what has no room is counted', () => {
    for (const count of [1, 2, 3, 5, 8]) {
      for (const width of [180, 320, 700, 1_900]) {
        for (const height of [60, 110, 260, 900]) {
          for (const more of [{}, { dated: true }, { seconds: true }, { dated: true, seconds: true }]) {
            const asked = room(count, width, height, more)
            const shape = clock_shape(asked)
            expect(shape.shown + shape.hidden).toBe(count)
            expect(shape.shown).toBeGreaterThanOrEqual(1)
            const digits = shape.figure_px * (asked.seconds ? 3.97 : 2.55)
            const words = shape.beside ? shape.name_px : 0
            expect(shape.across * (digits + words)).toBeLessThanOrEqual(width + 1)
            const down = Math.ceil(shape.shown / shape.across)
            const line = shape.beside ? 0 : LINE * 25
            if (shape.figure_px > 0) expect(down * (shape.figure_px + line)).toBeLessThanOrEqual(height + 1)
            if (shape.shown > 1) expect(shape.figure_px).toBeGreaterThanOrEqual(28)
          }
        }
      }
    }
  })
})
