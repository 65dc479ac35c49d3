import type { ReadableDocument } from '../../platform/documents/documents.ts'
import type { Locale } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'

/** The sheet for whoever has no phone: what it is on the outside, the codes below the fold. Made once; only hashes of its codes are kept. */
export function sheetOf(codes: readonly string[], { messages, locale, publicUrl, at }: { messages: Messages; locale: Locale; publicUrl: string; at: Date }): ReadableDocument {
  const m = (key: string, params?: Record<string, string>) => messages.text(locale, `helpdesk.sheet.${key}`, params)
  return {
    title: m('title'),
    language: locale,
    issuer: m('issuer'),
    at,
    blocks: [
      { kind: 'text', text: m('intro') },
      { kind: 'list', items: [m('step-1', { address: `${publicUrl.replace(/^https?:\/\//, '')}/recuperar` }), m('step-2'), m('step-3')] },
      { kind: 'text', text: m('secret') },
      { kind: 'text', text: m('fold'), small: true },
      { kind: 'heading', text: m('codes') },
      { kind: 'codes', codes: [...codes] },
      { kind: 'text', text: m('lost'), small: true },
    ],
  }
}
