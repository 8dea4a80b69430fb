/** The cases of the sheet: which kind of widget is drawn in which state, at which size and in which light. */

/** @typedef {{ kind: string, state: string, size: keyof typeof SIZES, theme: 'dark' | 'light' }} Case */

export const SIZES = {
  '1080p': { width: 1920, height: 1080 },
  '4k': { width: 3840, height: 2160 },
  portrait: { width: 1080, height: 1920 },
}
const KINDS = ['counter', 'gauge', 'bar', 'table', 'log', 'series', 'status', 'markers']
const STATES = [
  ...['live', 'stale', 'down', 'refused', 'unknown', 'empty', 'full', 'long', 'one'],
  ...['million', 'rtl', 'negative', 'huge', 'tiny'],
]
/** What is drawn at other sizes and in the other light as well. */
const ELSEWHERE = ['live', 'down', 'unknown', 'long', 'rtl']
/** What is drawn each time that the tests run. */
const QUICK = ['live', 'down', 'unknown', 'long', 'rtl']

/** What shows nothing of a source has no freshness. Where that of its clock's source isn't live it says that it stands. */
const FURNITURE = ['text', 'clock', 'countdown']
const FURNITURE_STATES = ['live', 'down', 'unknown', 'empty', 'full', 'long', 'one', 'rtl', 'negative']

/** @type {readonly Case[]} */
export const CASES = [...KINDS, ...FURNITURE].flatMap((kind) => [
  ...(FURNITURE.includes(kind) ? FURNITURE_STATES : STATES).map(
    (state) => /** @type {Case} */ ({ kind, state, size: '1080p', theme: 'dark' }),
  ),
  ...ELSEWHERE.flatMap((state) => [
    /** @type {Case} */ ({ kind, state, size: '4k', theme: 'dark' }),
    /** @type {Case} */ ({ kind, state, size: '1080p', theme: 'light' }),
  ]),
])

/** @param {Case} one */
export const is_quick = ({ state, size, theme }) => size === '1080p' && theme === 'dark' && QUICK.includes(state)

/** @param {Case} one */
export const name_of = ({ kind, state, size, theme }) => `${kind}-${state}-${size}${theme === 'light' ? '-light' : ''}`
