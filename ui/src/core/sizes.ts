/**
 * Sizes of text that are worked out here as well as set by the style sheet, in rem, before a panel's growth. Canvases draw at them,
 * and room is made by them without asking the page. `theme/tokens.css` has the same under `--size-NAME`; a test compares the two,
 * and finds every other place that sets a size of its own.
 */
export const SIZES = {
  /** The smallest: nothing on the wall is smaller. Axes, units, notes. */
  minor: 2.5,
  label: 2.5,
  title: 2.6,
  row: 2.8,
  /** The word of a freshness that isn't live. */
  word: 3.2,
  /** What stands for a value that nobody knows. */
  dashes: 5,
} as const

/** A line of text is so many times higher than its letters' size. */
export const LINE = 1.15
