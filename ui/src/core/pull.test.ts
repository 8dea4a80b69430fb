// H7: the next pull is the receipt; a silent backend is noticed within two heartbeats and never given up.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame } from '../generated/frame'
import { FRAME_MS_MAX, FRAME_MS_MIN } from './limits'
import { Pull, type PullEnv, retry_ms } from './pull'

type Answer = Frame | Error | 'never'

function frame(version: number): Frame {
  return {
    version,
    board: null,
    revision: 3,
    clock: { wall_ms: 0, board_ms: 0, speed: 1, label: null },
    heartbeat_ms: 1_000,
    sources: [],
    widgets: [],
    notices: [],
    outages: null,
  }
}

interface World {
  readonly env: PullEnv
  readonly asked: [number, number][]
  readonly log: string[]
  /** How long each question could wait. */
  readonly rests: number[]
}

function world(
  answers: Answer[],
  options: { fits?: (frame: Frame) => boolean; work_ms?: number; paint?: () => void } = {},
): World {
  const asked: [number, number][] = []
  const log: string[] = []
  const rests: number[] = []
  return {
    asked,
    rests,
    log,
    env: {
      next_frame(after, revision, rest_ms) {
        asked.push([after, revision])
        rests.push(rest_ms)
        const answer = answers.shift() ?? 'never'
        if (answer === 'never') return new Promise(() => undefined)
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
      apply(got) {
        log.push(`apply ${String(got.version)}`)
        return options.fits?.(got) ?? true
      },
      painted() {
        log.push('paint')
        options.paint?.()
        return Promise.resolve(options.work_ms ?? 1)
      },
      timer(ms) {
        let id: ReturnType<typeof setTimeout> | undefined
        return {
          done: new Promise((resolve) => {
            id = setTimeout(resolve, ms)
          }),
          cancel: () => {
            clearTimeout(id)
          },
        }
      },
      now: () => performance.now(),
      heard: () => log.push('heard'),
      silent: (why) => log.push(`silent: ${why}`),
      undrawn: (why) => log.push(`undrawn: ${why}`),
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('asks with what was painted, one question at a time', async () => {
  const { env, asked, log } = world([frame(5), frame(9)])
  new Pull(env).start()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual([
    [0, 0],
    [5, 3],
    [9, 3],
  ])
  expect(log).toEqual(['heard', 'apply 5', 'paint', 'heard', 'apply 9', 'paint'])
})

test('falls silent after two heartbeats, asks again, and takes a late answer', async () => {
  let answer: (frame: Frame) => void = () => undefined
  const { env, asked, log } = world([frame(1)])
  const late = new Promise<Frame>((resolve) => {
    answer = resolve
  })
  const ask = env.next_frame.bind(env)
  env.next_frame = (after, revision, rest_ms) =>
    asked.length === 1 ? (void asked.push([after, revision]), late) : ask(after, revision, rest_ms)
  new Pull(env).start()
  await vi.advanceTimersByTimeAsync(1_999)
  expect(log).not.toContain('silent: no answer')
  await vi.advanceTimersByTimeAsync(2)
  expect(log).toContain('silent: no answer')
  await vi.advanceTimersByTimeAsync(retry_ms(1))
  expect(asked.at(-1)).toEqual([1, 3])
  answer(frame(2))
  await vi.advanceTimersByTimeAsync(0)
  expect(log.slice(-3)).toEqual(['heard', 'apply 2', 'paint'])
  expect(asked.at(-1)).toEqual([2, 3])
})

test('an error is silence, and is asked again with growing pauses', async () => {
  const { env, asked, log } = world([new Error('gone'), new Error('gone'), frame(4)])
  new Pull(env).start()
  await vi.advanceTimersByTimeAsync(retry_ms(1) + retry_ms(2))
  expect(log).toEqual(['silent: gone', 'silent: gone', 'heard', 'apply 4', 'paint'])
  expect(asked).toHaveLength(4)
  expect(retry_ms(20)).toBe(5_000)
})

test('a frame that does not fit asks for everything', async () => {
  const { env, asked } = world([frame(5), frame(6), frame(7)], { fits: ({ version }) => version !== 6 })
  new Pull(env).start()
  await vi.advanceTimersByTimeAsync(retry_ms(1))
  expect(asked.map(([after]) => after)).toEqual([0, 5, 0, 7])
})

test.each(['apply', 'paint'])(
  'what throws in %s is said at once, and everything is asked for again (H1, H7)',
  async (where) => {
    let fails = false
    const fail = (): void => {
      if (fails) throw new Error('half of it')
    }
    const { env, asked, log } = world([frame(5), frame(6), frame(7), frame(8)], {
      fits: ({ version }) => {
        fails = version === 6 || version === 7
        if (where === 'apply') fail()
        return true
      },
      paint: () => {
        if (where === 'paint') fail()
      },
    })
    new Pull(env).start()
    await vi.advanceTimersByTimeAsync(0)
    expect(log.at(-1)).toBe('undrawn: half of it')
    await vi.advanceTimersByTimeAsync(retry_ms(1) + retry_ms(2))
    expect(asked.map(([after]) => after)).toEqual([0, 5, 0, 0, 8])
    expect(log.filter((line) => line.startsWith('undrawn'))).toHaveLength(2)
    expect(log.filter((line) => line.startsWith('silent'))).toEqual([])
  },
)

test('a paused pull asks for nothing and starts over with one whole frame', async () => {
  const { env, asked, log } = world([frame(5)])
  const pull = new Pull(env)
  pull.start()
  await vi.advanceTimersByTimeAsync(0)
  pull.pause()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(2)
  expect(log.filter((line) => line.startsWith('silent'))).toEqual([])
  pull.start()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked.at(-1)).toEqual([0, 3])
})

test('keeps its pace in a flood, and a slow page a slower one', async () => {
  for (const [work_ms, rest_ms] of [
    [0, FRAME_MS_MIN],
    [FRAME_MS_MIN, 2 * FRAME_MS_MIN],
    [10 * FRAME_MS_MAX, FRAME_MS_MAX],
  ] as const) {
    const flood = world(
      Array.from({ length: 100 }, (_, at) => frame(at + 1)),
      { work_ms },
    )
    new Pull(flood.env).start()
    await vi.advanceTimersByTimeAsync(0)
    expect(flood.rests[0]).toBe(0)
    // The mean has settled.
    expect(flood.rests.at(-2)).toBeCloseTo(rest_ms, -0.5)
  }
})
