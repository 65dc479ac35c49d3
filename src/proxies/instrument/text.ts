import type { ReadableDocument } from '../../platform/documents/documents.ts'
import type { Locale } from '../../platform/http/locale.ts'
import type { Described } from '../mandate/mandate.ts'
import { maskedDocument } from '../party/party.ts'
import { powerName, type Role } from '../role/role.ts'

/** The texts of the room; the platform's `Messages` fits. */
export interface InstrumentTexts {
  text(locale: Locale, key: string, params?: Readonly<Record<string, string>>): string
}

export interface InstrumentFacts {
  readonly mandate: Described
  /** In the versions that were signed for. */
  readonly roles: readonly Role[]
  readonly code: string
  readonly url: string
  readonly at: Date
}

/** What an instrument says; in Portuguese, the language that courts and counters read. Numbers of people are masked: it is shown to third parties. */
export function instrumentOf(texts: InstrumentTexts, { mandate, roles, code, url, at }: InstrumentFacts): ReadableDocument {
  const said = (key: string, params?: Readonly<Record<string, string>>) => texts.text('pt-BR', `proxies.instrument.${key}`, params)
  const day = (text: string) => text.split('-').reverse().join('/')
  const party = (one: Described['delegate']) => `${one.name} – ${maskedDocument(one)}`
  const facts = [
    { name: said('represented'), value: party(mandate.represented) },
    ...(mandate.parentId ? [{ name: said('grantor'), value: party(mandate.grantor) }] : []),
    { name: said('delegate'), value: party(mandate.delegate) },
    { name: said('kind'), value: texts.text('pt-BR', `proxies.kind.${mandate.kind}`) },
    { name: said('from'), value: day(mandate.validFrom) },
    { name: said('through'), value: mandate.validThrough ? day(mandate.validThrough) : said('no-end') },
    ...(mandate.instance ? [{ name: said('only'), value: mandate.instance }] : []),
    ...(mandate.joint ? [{ name: said('joint'), value: said('joint-text', { quorum: String(mandate.joint.quorum) }) }] : []),
    { name: said('pass-on'), value: mandate.subDepth > 0 ? said('pass-on-yes') : said('pass-on-no') },
  ]
  return {
    title: said('title'), language: 'pt-BR', issuer: said('issuer'), foot: said('foot'), at,
    blocks: [
      { kind: 'facts', facts },
      { kind: 'heading', text: said('powers') },
      { kind: 'list', items: roles.map((role) => `${role.definition.title['pt-BR']}: ${role.definition.description['pt-BR']} (${powerName(role)}, ${said('version', { version: String(role.version) })})`) },
      { kind: 'text', text: said('law') },
      { kind: 'verification', label: said('verify'), code, url },
    ],
  }
}
