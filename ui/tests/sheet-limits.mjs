/** How pictures of the sheet are kept, and how alike another one must be. */

/** Pictures are kept at a quarter of 1080p's size: what is gone or wrong is seen at that, and a wall's weighs 13 kB. */
export const KEPT_SCALE = 4
/** As many, or more where a square's mean would be off by more than that. */
export const KEPT_COLOURS = 32
export const ROUNDED_MAX = 4.2
/**
 * Unlike pixels in one square of 16, and how far a square's mean may be off. Measured in both engines (docs/design-language.md): drawn again,
 * nothing is unlike and the palette is off by 4.1; the smallest thing that can be lost, the dot of *live*, is 6 pixels.
 */
export const UNLIKE_MAX = 5
export const TONE_MAX = 6
