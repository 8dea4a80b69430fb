/**
 * Every bound and pace of the page, with its unit in its name.
 */

/**
 * The least time from one frame to the next in a flood: thirty a second, for every repaint costs and figures that change
 * faster can't be read. A first change after a rest is painted at once.
 */
export const FRAME_MS_MIN = 33

/** The page's own work takes at most this share of the time: a slow machine gets fewer frames, not a full processor. */
export const FRAME_WORK_SHARE_MAX = 0.5

/** But frames come at least so often, however long they take. */
export const FRAME_MS_MAX = 250

/** The page is cut off when this many heartbeats have passed since the newest answer. */
export const SILENT_HEARTBEATS = 2

/** But a question is given at least so many, however long the paint before it took. */
export const ANSWER_HEARTBEATS_MIN = 1.25

/** What is taken for the heartbeat before the first frame has said it. */
export const HEARTBEAT_MS_DEFAULT = 1_000

/** First and longest pause before a refused or unanswered pull is repeated. */
export const RETRY_MS_FIRST = 250
export const RETRY_MS_MAX = 5_000

/** Rows, tiles and markers are repainted at most this often; numbers with every frame. A first change after a rest passes at once. */
export const ROWS_MS = 100

/** Charts and sparklines are repainted at most this often. */
export const CHARTS_MS = 250

/** Maps take over new positions at most this often. */
export const MAP_MS = 80

/** How wide the page is is told once that has stood for so long. */
export const RESIZED_MS = 300

/** The code that the backend reads off the screen is drawn at most this often. */
export const PICTURE_CODE_MS = 500

/** An age is written beside a live value from this age on: younger ones say nothing. */
export const LATE_MS_MIN = 3_000

/** Lines of one chart that are drawn; a board file may name no more. */
export const SERIES_LINES_MAX = 12

/** Rows of a heat map; a board file may name no more. */
export const HEAT_ROWS_MAX = 100

/** Points of one line that are held: the reducer's own bound, and one bucket on either side. */
export const SERIES_POINTS_MAX = 2_002

/** Tiles of a status grid that are drawn, where a panel has room for them; the backend keeps no more. The others are counted. */
export const TILES_MAX = 500

/** Markers that are drawn; the others are counted. */
export const MARKERS_MAX = 5_000

/** Labels drawn beside markers. */
export const MARKER_LABELS_MAX = 24

/** Pieces of trails that are drawn; the worst markers' come first. */
export const TRAIL_PIECES_MAX = 4_000

/** Fastest and slowest repaint of gliding markers. */
export const GLIDE_FPS_MAX = 20
export const GLIDE_FPS_MIN = 2

/** A marker moves at most this many device pixels between two repaints, as long as the fastest pace allows it. */
export const GLIDE_STEP_PX = 1

/** Rows glide to their new place only if the order has been still this long; in a flood they are simply there. */
export const ROW_MOVE_REST_MS = 700

/**
 * A chart's scale shrinks after the smaller one has been enough for this share of its window, at most so many
 * milliseconds. What was high has stood in the window for all of its length already.
 */
export const SCALE_HOLD_SHARE = 0.02
export const SCALE_HOLD_MS_MAX = 600_000

/** Outages that are listed; the others are counted. */
export const OUTAGES_MAX = 16

/** Characters of a notice's line that are shown; of a longer one the middle is left out, for both its ends matter. */
export const NOTICE_CHARS_MAX = 260

/** A hand that does nothing for so long has left: what it filtered, sorted and selected is over. */
export const DESK_LEFT_MS = 60_000

/** Those that stand at one place are listed, so many at once; the others are counted. */
export const DESK_MEMBERS_MAX = 12

/** A hand's rows are asked for at most this often. */
export const DESK_PACE_MS = 200

/** Rows that nobody has answered for in this time are shown no more. */
export const DESK_ANSWER_MS = 3_000

/** For how long it is said that something was copied. */
export const DESK_SAID_MS = 2_500

/** The list of alarms asks for others no more often, and an answer that is older than what the wall knows says so after so long. */
export const ALARM_ROWS_PACE_MS = 250
export const ALARM_ROWS_BEHIND_MS = 1_000
