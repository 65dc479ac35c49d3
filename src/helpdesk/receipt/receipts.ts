import type { ReadableDocument } from '../../platform/documents/documents.ts'
import { createFormats, type Locale } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { equalSecrets } from '../../platform/keyring.ts'
import type { Attendance } from '../attendance/attendance.ts'
import { findAttendance } from '../attendance/attendance.store.ts'
import type { Desk } from '../attendance/desk.ts'
import { type ItemKind, listItems } from '../capture/item.store.ts'
import type { Agreement } from '../consent/consent.ts'
import { findAgreement } from '../consent/consent.store.ts'
import { publicCodeOf } from '../staff/public-code.ts'
import type { Unit } from '../staff/unit.store.ts'

/** What a receipt says, and whoever checks it is told: nothing that names the person. */
export interface ReceiptFacts {
  readonly attendance: Attendance
  readonly unit: Unit
  readonly kinds: readonly ItemKind[]
  readonly agreement: Agreement | undefined
  /** Public codes of whoever captured something, and of whoever holds the case. */
  readonly by: readonly string[]
}

/** Proof for the citizen of what was done; anybody who holds the paper can check that it is ours. */
export interface Receipts {
  /** The document, in the language of whoever prints it. */
  write(attendance: Attendance, locale: Locale): Promise<ReadableDocument>
  /** What a code vouches for; `undefined` for one that is not ours. */
  check(attendanceId: string, code: string): Promise<ReceiptFacts | undefined>
}

export interface ReceiptDependencies {
  readonly desk: Desk
  readonly messages: Messages
  readonly publicUrl: string
}

export function createReceipts({ desk, messages, publicUrl }: ReceiptDependencies): Receipts {
  const { db, keyring, staff, clock } = desk
  const codeOf = (id: string) => keyring.hash(id, 'counter-receipt').toString('base64url', 0, 15)

  async function factsOf(attendance: Attendance): Promise<ReceiptFacts | undefined> {
    const unit = await staff.findUnit(attendance.unitId)
    const items = await listItems(db, keyring, attendance.id)
    const hands = new Set([...items.map(({ capturedBy }) => capturedBy), attendance.holderId])
    return (
      unit && {
        attendance,
        unit,
        kinds: [...new Set(items.map(({ kind }) => kind))],
        agreement: await findAgreement(db, attendance.id, items),
        by: [...hands].map((id) => publicCodeOf(keyring, id)),
      }
    )
  }

  return {
    async write(attendance, locale) {
      const found = await factsOf(attendance)
      const word = (key: string, params?: Record<string, string>) => messages.text(locale, `helpdesk.receipt.${key}`, params)
      const text = (key: string) => messages.text(locale, key)
      const agreed = ({ given, way, at }: Agreement) => messages.text(locale, `helpdesk.agreed.${given ? way : 'refused'}`, { when: createFormats(locale).dateTime(at) })
      const facts = [
        { name: word('protocol'), value: attendance.protocol },
        { name: word('unit'), value: `${found?.unit.name ?? ''}, ${found?.unit.municipality ?? ''}` },
        { name: word('opened'), value: createFormats(locale).dateTime(attendance.openedAt) },
        { name: text('helpdesk.attendance.reason'), value: text(`helpdesk.reason.${attendance.reason}`) },
        { name: text('helpdesk.attendance.state'), value: text(`helpdesk.case-state.${attendance.state}`) },
        { name: word('by'), value: (found?.by ?? []).map((code) => word('by-code', { role: text(`helpdesk.role.${attendance.holderRole}`), code })).join('; ') },
        ...(found?.agreement === undefined ? [] : [{ name: word('agreement'), value: agreed(found.agreement) }]),
      ]
      const code = codeOf(attendance.id)
      return {
        title: word('title'),
        language: locale,
        issuer: word('issuer'),
        at: clock.now(),
        blocks: [
          { kind: 'facts', facts },
          { kind: 'heading', text: word('captured') },
          { kind: 'list', items: (found?.kinds ?? []).map((kind) => word(`kind.${kind}`)) },
          { kind: 'heading', text: word('rights') },
          { kind: 'text', text: text('helpdesk.signature.consent-why') },
          { kind: 'text', text: text('helpdesk.signature.consent-rights') },
          { kind: 'verification', label: word('verify'), code, url: `${publicUrl}/comprovante/${attendance.id}/${code}` },
        ],
      }
    },
    async check(attendanceId, code) {
      if (!equalSecrets(code, codeOf(attendanceId))) return undefined
      const attendance = await findAttendance(db, keyring, attendanceId)
      return attendance && factsOf(attendance)
    },
  }
}
