/** The client's address with an answer; what its query had already stays. */
export function answerTo({ redirectUri, state }: { readonly redirectUri: string; readonly state: string | undefined }, answer: Readonly<Record<string, string>>): string {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries({ ...answer, ...(state !== undefined && { state }) })) url.searchParams.set(name, value)
  return url.href
}
