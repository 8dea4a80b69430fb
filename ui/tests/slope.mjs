/** How fast something grows, and how sure that is. */

/** The 0.975 quantile of Student's distribution, by degrees of freedom from 1 on; 1.96 is its end. */
const STUDENT = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09, 2.09,
]

/**
 * The slope of the straight line that fits best (least squares), with its 95 % confidence interval, which takes the points as independent.
 *
 * @param {readonly (readonly [x: number, y: number])[]} points three at least
 * @returns {{ each: number, low: number, high: number }}
 */
export function slope(points) {
  const count = points.length
  if (count < 3) throw new Error('three points at least')
  const mean_x = points.reduce((sum, [x]) => sum + x, 0) / count
  const mean_y = points.reduce((sum, [, y]) => sum + y, 0) / count
  const spread = points.reduce((sum, [x]) => sum + (x - mean_x) ** 2, 0)
  const each = points.reduce((sum, [x, y]) => sum + (x - mean_x) * (y - mean_y), 0) / spread
  const left = points.reduce((sum, [x, y]) => sum + (y - mean_y - each * (x - mean_x)) ** 2, 0)
  const error = Math.sqrt(left / (count - 2) / spread)
  const wide = error * (STUDENT[count - 3] ?? (count < 40 ? 2.05 : 1.99))
  return { each, low: each - wide, high: each + wide }
}
