/**
 * What the head line says of each source, as far as there is room: first the losses give way, for a key lists them, then how what is live
 * comes, then the middle of its words.
 */
import { fitted, label_width_em } from './width'

export interface SourceWords {
  readonly title: string
  readonly words: string
  /** The same in fewer words, if that says enough; else nothing. */
  readonly brief: string
  /** What was lost of late; nothing if nothing was. */
  readonly losses: string
  /** Whether it is named at all. */
  readonly named: boolean
}

/** Of each source: its mark and the gaps around it. All in em. */
const MARK_EM = 1.3
const GAP_EM = 1.2
const WORDS_EM_MIN = 6
const NAME_EM_MIN = 2.5
/** Widths are known of the bold face; what is said is in the other one, which is narrower. */
const REGULAR = 0.97

export function source_words(all: readonly SourceWords[], count: string, room_em: number): SourceWords[] {
  const named = all.filter((one) => one.named)
  const fixed = REGULAR * label_width_em(count) + all.length * (MARK_EM + GAP_EM)
  const left = room_em - fixed
  const need = ({ title, words, losses }: SourceWords): number =>
    REGULAR *
    label_width_em([title, words].filter((part) => part !== '').join(' ') + (losses === '' ? '' : `; ${losses}`))
  const sum = (of: readonly SourceWords[]): number => of.reduce((em, one) => em + need(one), 0)
  if (sum(named) <= left) return [...all]
  const unlost = all.map((one) => ({ ...one, losses: '' }))
  if (sum(unlost.filter((one) => one.named)) <= left) return unlost
  const shorter = unlost.map((one) => (one.brief === '' ? one : { ...one, words: one.brief }))
  const short = shorter.filter((one) => one.named)
  if (sum(short) <= left) return shorter
  // What is shorter than its share leaves the rest to the others.
  let share = left / Math.max(1, short.length)
  const modest = short.filter((one) => need(one) <= share)
  const greedy = short.length - modest.length
  if (greedy > 0) share = (left - sum(modest)) / greedy
  return shorter.map((one) => {
    if (!one.named || need(one) <= share) return one
    // Of less than this nobody reads a name; its mark stays.
    if (share < NAME_EM_MIN) return { ...one, title: '', words: '', named: false }
    if (one.words === '') return { ...one, title: fitted(one.title, Math.max(2, share), 1) }
    const title = fitted(one.title, Math.max(WORDS_EM_MIN, share / 2), 1)
    const rest = share - label_width_em(`${title} `)
    // What is left of a word in less room says nothing; the mark and the name do.
    if (rest < WORDS_EM_MIN / 2) return { ...one, title: fitted(one.title, share, 1), words: '' }
    return { ...one, title, words: fitted(one.words, rest, 1) }
  })
}
