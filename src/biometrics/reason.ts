/**
 * Why a frame or a session is not good enough, and what the person can do about it. Each code is also the message key of the pages
 * (`views/messages`): public, never renamed. Ordered by what is worth saying first: one obstacle hides the next.
 */
export const REASON_CODES = [
  'face/none',
  'face/two-faces',
  'face/too-far',
  'face/low-resolution',
  'face/too-near',
  'face/cropped',
  'face/off-centre',
  'face/too-dark',
  'face/too-bright',
  'face/uneven-light',
  'face/washed-out',
  'face/unnatural-colour',
  'face/covered',
  'face/mouth-covered',
  'face/eyes-hidden',
  'face/tilted',
  'face/hold-still',
  'face/blurred',
  'face/compressed',
  'face/background',
  'face/other-side',
  'face/turn-more',
  'face/look-ahead',
  'face/too-slow',
  'face/window-behind',
  'face/not-same-person',
  'face/not-live',
] as const

export type ReasonCode = (typeof REASON_CODES)[number]

/** The given codes without repeats, the most useful first. */
export function sortReasons(codes: readonly ReasonCode[]): ReasonCode[] {
  return REASON_CODES.filter((code) => codes.includes(code))
}
