import { afterEach, expect, test, vi } from 'vitest'
import type { Host } from '../../host/types'
import type { LiveWall } from '../../wall.svelte'
import { hear_sought, lead } from './sought'
import { way } from './way.svelte'

const { going } = vi.hoisted(() => ({ going: vi.fn(() => Promise.resolve()) }))
vi.mock('./go', () => ({
  go_to: (_live: unknown, _host: unknown, { key }: { key: string }) => (key === 'pump/3' ? going() : null),
}))

afterEach(() => {
  way.close()
})

const closed = vi.fn(() => Promise.resolve())
const wall = (past: boolean): LiveWall =>
  ({ past: past ? {} : null, alarms: { list: [{ key: 'pump/3' }, { key: 'hidden' }] } }) as unknown as LiveWall
const host = { past_close: closed } as unknown as Host

test('leads to the widget, and where there is none to the list', async () => {
  way.show('other')
  await lead(wall(false), host, 'pump/3')
  expect([way.open, way.wanted]).toEqual([false, null])
  await lead(wall(false), host, 'hidden')
  expect([way.open, way.wanted]).toEqual([true, 'hidden'])
  await lead(wall(false), host, null)
  expect([way.open, way.wanted]).toEqual([true, null])
  expect(closed).not.toHaveBeenCalled()
  await lead(wall(true), host, 'pump/3')
  expect(closed).toHaveBeenCalledOnce()
})

test('a window that was minimised waits for the frame that has the alarm, and not for ever', async () => {
  vi.useFakeTimers()
  try {
    let painted: (() => void) | null = null
    const live = {
      past: null,
      alarms: { list: [] as { key: string }[] },
      after_paint: (then: () => void) => {
        painted = then
        return () => {
          painted = null
        }
      },
    }
    const led = lead(live as unknown as LiveWall, host, 'pump/3')
    live.alarms = { list: [{ key: 'pump/3' }] }
    ;(painted as (() => void) | null)?.()
    await led
    expect([way.open, painted]).toEqual([false, null])
    live.alarms = { list: [] }
    const lost = lead(live as unknown as LiveWall, host, 'gone')
    await vi.advanceTimersByTimeAsync(5_000)
    await lost
    expect([way.open, way.wanted, painted]).toEqual([true, 'gone', null])
  } finally {
    vi.useRealTimers()
  }
})

test('it asks for what is behind what it has led to, and leads only to what is new', async () => {
  const asked: (number | null)[] = []
  const answers = [
    { number: 7, key: null, is_new: false },
    { number: 8, key: 'hidden', is_new: true },
    { number: 8, key: null, is_new: false },
    null,
  ]
  const end = await new Promise<() => void>((done) => {
    const own = hear_sought(wall(false), {
      ...host,
      alarm_sought: (after: number | null) => {
        asked.push(after)
        if (asked.length === answers.length)
          setTimeout(() => {
            done(own)
          }, 0)
        return Promise.resolve(answers[asked.length - 1] ?? null)
      },
    } as unknown as Host)
  })
  end()
  expect(asked).toEqual([null, 7, 8, 8])
  expect(way.wanted).toBe('hidden')
})

test('it has led there when the widget has the focus, and says so no sooner', async () => {
  const asked: (number | null)[] = []
  const answers = [{ number: 8, key: 'pump/3', is_new: true }, null]
  let entered: () => void = () => undefined
  going.mockReturnValueOnce(
    new Promise((done) => {
      entered = done
    }),
  )
  const alarm_sought = (after: number | null) => Promise.resolve((asked.push(after), answers[asked.length - 1] ?? null))
  const end = hear_sought(wall(false), { ...host, alarm_sought } as unknown as Host)
  await vi.waitFor(() => {
    expect(going).toHaveBeenCalled()
  })
  await new Promise((done) => setTimeout(done, 0))
  expect(asked).toEqual([null])
  entered()
  await vi.waitFor(() => {
    expect(asked).toEqual([null, 8])
  })
  end()
})

test('an alarm that is none of those of a frame is asked for by its key', async () => {
  const live = {
    past: null,
    alarms: { list: [{ key: 'other' }], total: 5_000 },
    after_paint: () => () => undefined,
  } as unknown as LiveWall
  const alarm_rows = vi.fn(() => Promise.resolve({ own: { key: 'pump/3' } }))
  way.show('other')
  await lead(live, { ...host, alarm_rows } as unknown as Host, 'pump/3')
  expect([way.open, way.wanted]).toEqual([false, null])
  expect(alarm_rows).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ key: 'pump/3', count: 0 }))
})
