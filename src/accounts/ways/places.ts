/** Where it may be found that an account's ways in are not the ones that were sealed. */
export const WAYS_PLACES = ['sign-in', 'session', 'change', 'recovery', 'signature'] as const
export type WaysPlace = (typeof WAYS_PLACES)[number]
