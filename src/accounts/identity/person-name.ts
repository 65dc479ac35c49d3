const PARTICLES = new Set(['DA', 'DE', 'DI', 'DO', 'DU', 'DAS', 'DOS', 'E'])

/** A name as people write it: NFC, single spaces; `undefined` when it cannot be a full name. */
export function parsePersonName(text: string): string | undefined {
  const name = text.normalize('NFC').replace(/\s+/g, ' ').trim()
  if (name.length < 3 || name.length > 200) return undefined
  return /^\p{L}[\p{L}\p{M}'’.\- ]*$/u.test(name) && name.includes(' ') ? name : undefined
}

/**
 * True when both texts name the same person: accents, case, spacing, punctuation and particles (da, de, dos…) aside.
 *
 * Nothing else is forgiven: an abbreviated or missing surname is another name.
 */
export function isSameName(one: string, other: string): boolean {
  const left = foldName(one)
  return left !== '' && left === foldName(other)
}

/** Words of a name, folded, particles dropped: what a password must not be made of. */
export function wordsOfName(name: string): string[] {
  return foldWords(name).map((word) => word.toLowerCase())
}

/** `Maria`: how mails address people. */
export function firstName(name: string): string {
  return name.split(' ')[0] ?? name
}

/** `Maria A. S.`: matches a paper at hand, and tells a stranger no name. */
export function maskPersonName(name: string): string {
  const [first = '', ...rest] = name.split(' ')
  return [first, ...rest.filter((word) => !PARTICLES.has(word.toUpperCase())).map((word) => `${word[0] ?? ''}.`)].join(' ')
}

function foldName(name: string): string {
  return foldWords(name).join(' ')
}

function foldWords(name: string): string[] {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase()
  const words = plain.replace(/['’.]/g, '').split(/[^\p{L}\p{N}]+/u)
  return words.filter((word) => word !== '' && !PARTICLES.has(word))
}
