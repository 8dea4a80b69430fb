/** Sentences that the backend says by codes, in the language of the wall. What has no code comes in English: `heard.ts` says it, and another's own words stay as they are. */
import type { Said } from '../generated/frame'
import { say } from '../words/say'
import { heard } from './heard'

/** A length of time in at most two units, as the backend's own words have it: `412 ms`, `6 s`, `2 min 5 s`, `3 h`. */
function span_said(ms: number): string {
  if (ms > 0 && ms < 1_000) return say('age.ms', { ms: String(ms) })
  const seconds = Math.floor(ms / 1_000)
  const [d, h, min, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ].map(String) as [string, string, string, string]
  if (seconds >= 86_400) return h === '0' ? say('age.d', { d }) : say('age.d-h', { d, h })
  if (seconds >= 3_600) return min === '0' ? say('age.h', { h }) : say('age.h-min', { h, min })
  if (seconds >= 60) return s === '0' ? say('age.min', { min }) : say('age.min-s', { min, s })
  return say('age.s', { s })
}

type Transport = NonNullable<Extract<Said, { code: 'live' }>['transport']>

function transport_name(transport: Transport): string {
  switch (transport) {
    case 'websocket':
      return 'WebSocket'
    case 'tcp':
      return 'TCP'
    default:
      return say(`transport.${transport}`)
  }
}

/** The sentence. A code without one isn't built. */
export function said_text(said: Said): string {
  switch (said.code) {
    case 'words':
      return heard(said.words)
    case 'list':
      return said.parts.map(said_text).join(', ')
    case 'beside':
      return said.parts.map(said_text).join('; ')
    case 'server-silent':
      return said.ms === null ? say('said.server-silent-yet') : say('said.server-silent', { age: span_said(said.ms) })
    case 'machine-slow':
      return say('said.machine-slow', { age: span_said(said.ms) })
    case 'publisher-silent': {
      const quiet = span_said(said.quiet_ms)
      return said.ms === null
        ? say('said.publisher-silent-yet', { quiet })
        : say('said.publisher-silent', { age: span_said(said.ms), quiet })
    }
    case 'catching-up':
    case 'not-connected':
    case 'connecting':
    case 'trying-again':
    case 'access-refused':
    case 'no-event':
    case 'not-renewed':
    case 'not-running':
    case 'disk-silent':
    case 'journal-replaced':
    case 'engine-stopped':
    case 'kept-by-another':
    case 'screens-need-x11':
      return say(`said.${said.code}`)
    case 'alarms-damaged':
      return say('said.alarms-damaged', { count: said.count })
    case 'next-try':
      return say('said.next-try', { age: span_said(said.ms) })
    case 'live':
      return said.transport === null
        ? say('said.live')
        : say('said.live-by', { transport: transport_name(said.transport) })
    case 'polling':
      return say('said.polling', { age: span_said(said.every_ms) })
    case 'no-newer-token':
      return say('said.no-newer-token', { why: heard(said.why) })
    case 'paths-lost':
      return say('said.paths-lost', { lost: said.lost, of: said.of, place: said.place, cause: heard(said.cause) })
    case 'source-catching-up': {
      const what =
        said.transport === null
          ? say('said.source-catching-up')
          : say('said.source-catching-up-by', { transport: transport_name(said.transport) })
      return said.reason === null ? what : say('said.because', { what, reason: said_text(said.reason) })
    }
    case 'all-live':
      return say('said.all-live', { count: said.count })
    case 'not-live': {
      const levels = said.levels.map(([level, count]) => say('said.level', { count, word: say(`freshness.${level}`) }))
      return say('said.not-live', { levels: levels.join(', '), of: said.of })
    }
    case 'not-remembering':
      return say('said.not-remembering', { since: said.since })
    case 'board-gone':
    case 'board-unreadable':
    case 'board-refused':
      return say(`said.${said.code}`, { file: said.file })
    case 'other-replay':
      return say('said.other-replay', { before: said.before, from: said.from })
    case 'source-refused':
      return say('said.source-refused', { reason: said_text(said.reason) })
    case 'source-lost':
      return say('said.source-lost', { age: span_said(said.ms), reason: said_text(said.reason) })
  }
}

/** A sentence that may have a code, else by the words that came. */
export function said_or(said: Said | undefined, words: string): string
export function said_or(said: Said | undefined, words: string | null): string | null
export function said_or(said: Said | undefined, words: string | null): string | null {
  return said === undefined ? heard(words) : said_text(said)
}
