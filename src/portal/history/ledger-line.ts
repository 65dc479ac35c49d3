import type { AccountId } from '../../accounts/index.ts'
import type { Audit, LedgerEntry } from '../../audit/index.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'

/** One line of the ledger in the citizen's words. */
export interface LedgerLine {
  readonly what: string
  /** Who else had a part in it: a relying party, an operator, the system. */
  readonly who: string | undefined
  /** On which device, with which data: what tells this use from others. */
  readonly where: string | undefined
  readonly at: Date
  readonly icon: string
  readonly tone: 'warning' | undefined
  /** Where to say "não fui eu"; nothing that only closes doors asks for it. */
  readonly notMe: string | undefined
}

/** What the ledger's lines are made from. */
export interface Ledger {
  readonly audit: Pick<Audit, 'ledger'>
  readonly messages: Messages
  readonly clientName: (clientId: string) => Promise<string>
  /** What an agency asked for, in the words that its client is registered with. */
  readonly purposeName: (clientId: string, purpose: string) => Promise<string>
  /** What a device of the account calls itself, e.g. `Chrome · Android`. */
  readonly deviceLabels: (accountId: AccountId) => Promise<ReadonlyMap<string, string>>
}

const ICONS: Readonly<Record<string, string>> = {
  'accounts/signed-in': 'user',
  'accounts/session-ended': 'logout',
  'accounts/password-changed': 'lock',
  'accounts/recovered': 'key',
  'accounts/passkey-added': 'key',
  'accounts/passkey-removed': 'key',
  'accounts/certificate-added': 'key',
  'accounts/certificate-removed': 'key',
  'accounts/certificate-revoked': 'key',
  'accounts/totp-enabled': 'phone',
  'accounts/totp-removed': 'phone',
  'accounts/contact-added': 'mail',
  'accounts/contact-removed': 'mail',
  'assurance/evidence-added': 'shield-check',
  'assurance/evidence-withdrawn': 'shield',
  'biometrics/image-stored': 'face',
  'biometrics/image-opened': 'face',
  'biometrics/agency-images-compared': 'face',
  'biometrics/agency-validation-asked': 'building',
  'biometrics/agency-validation-agreed': 'face',
  'biometrics/agency-validation-declined': 'building',
  'biometrics/agency-validation-passed': 'face',
  'biometrics/agency-validation-refused': 'face',
  'biometrics/agency-reference-read': 'face',
  'biometrics/agency-reference-missing': 'face',
  'biometrics/capture-opened': 'building',
  'biometrics/process-captured': 'face',
  'biometrics/face-searched': 'face',
  'biometrics/face-matched': 'face',
  'biometrics/face-match-judged': 'face',
  'biometrics/face-found': 'face',
  'oidc/authorized': 'building',
  'proxies/used': 'user',
  'proxies/granted': 'document',
  'signatures/documents-signed': 'pen',
  'signatures/envelope-sent': 'document',
  'signatures/signer-invited': 'document',
  'signatures/activation-used': 'check',
  'signatures/signed': 'document',
  'signatures/certificates-shown': 'key',
  'signatures/icp-accepted': 'key',
  'signatures/icp-refused': 'alert',
  'signatures/icp-ended': 'key',
  'signatures/credential-issued': 'key',
  'signatures/credential-suspended': 'key',
  'signatures/credential-resumed': 'key',
  'signatures/credential-revoked': 'key',
  'oidc/consent-given': 'plug',
  'oidc/consent-withdrawn': 'plug',
  'oidc/face-check-agreed': 'face',
  'oidc/face-check-passed': 'face',
  'oidc/face-check-refused': 'face',
}
/** What deserves a second look. */
const WARNINGS: ReadonlySet<string> = new Set([
  'accounts/sign-in-refused',
  'accounts/recovery-started',
  'accounts/recovered',
  'accounts/passkey-suspect',
  'accounts/certificate-revoked',
  'accounts/ways-broken',
  'accounts/suspended',
  'accounts/registration-repeated',
  'accounts/recovery-refused',
  'biometrics/images-erased',
  'biometrics/agency-validation-refused',
  'oidc/refresh-token-reused',
  'oidc/face-check-refused',
  'portal/use-disowned',
  'signatures/signing-lost',
  'proxies/signing-lost',
  'signatures/icp-refused',
  'helpdesk/support-acted',
])

/** Closes doors and opens none, whoever did it. */
const HARMLESS: ReadonlySet<string> = new Set([
  'accounts/registered',
  'accounts/session-ended',
  'accounts/suspended',
  'biometrics/images-withdrawn',
  'biometrics/images-removed',
  'biometrics/images-reviewed',
  'biometrics/agency-validation-declined',
  'biometrics/agency-reference-missing',
  'biometrics/capture-given-up',
  // Looks at a face and opens nothing with it; whose the picture was, nobody here can disown.
  'biometrics/face-searched',
  'biometrics/face-matched',
  'biometrics/face-match-judged',
  'biometrics/face-found',
  'signatures/credential-suspended',
  'signatures/credential-revoked',
  'signatures/icp-ended',
  'oidc/sessions-ended',
  'oidc/consent-withdrawn',
  'portal/use-disowned',
])

/** Ledger entries as lines to read; an event that has no text of its own is still listed, by a general one. */
export async function linesOf(
  ctx: HttpContext,
  ledger: Ledger,
  accountId: AccountId,
  entries: readonly LedgerEntry[],
): Promise<LedgerLine[]> {
  const devices = entries.some(({ data }) => 'deviceId' in data) ? await ledger.deviceLabels(accountId) : new Map<string, string>()
  const t = (key: string, params?: Record<string, string>) => ledger.messages.text(localeOf(ctx), key, params)
  return Promise.all(
    entries.map(async (entry) => {
      const { id, at, type } = entry
      const key = `portal.event.${type.replace('/', '-')}`
      return {
        at,
        what: t(ledger.messages.has(key) ? key : 'portal.event.other'),
        who: await whoOf(entry, ledger, t),
        where: (await purposeOf(entry, ledger, t)) ?? whereOf(entry, devices, ledger.messages, t),
        icon: ICONS[type] ?? (WARNINGS.has(type) ? 'alert' : 'check'),
        tone: WARNINGS.has(type) ? ('warning' as const) : undefined,
        notMe: HARMLESS.has(type) ? undefined : `/conta/nao-fui-eu?entry=${id}`,
      }
    }),
  )
}

type Translate = (key: string, params?: Record<string, string>) => string

async function whoOf({ type, actor, clientId }: LedgerEntry, { clientName }: Ledger, t: Translate): Promise<string | undefined> {
  if (actor.kind === 'operator') return t('portal.history.by-operator')
  if (clientId !== undefined) return t('portal.history.for-client', { client: await clientName(clientId) })
  // Of a refused attempt nobody knows who made it.
  return actor.kind === 'system' && !WARNINGS.has(type) ? t('portal.history.by-system') : undefined
}

async function purposeOf({ clientId, data }: LedgerEntry, { purposeName }: Ledger, t: Translate): Promise<string | undefined> {
  if (clientId === undefined || typeof data['purpose'] !== 'string') return undefined
  return t('portal.history.purpose', { purpose: await purposeName(clientId, data['purpose']) })
}

/** The device of a sign-in, the data that a relying party was given, the kind of an address or proof. */
function whereOf({ type, data }: LedgerEntry, devices: ReadonlyMap<string, string>, messages: Messages, t: Translate): string | undefined {
  if (typeof data['deviceId'] === 'string') return devices.get(data['deviceId'])
  if (type === 'assurance/evidence-added') return textIfAny(`portal.evidence.${String(data['method'])}`, messages, t)
  if (type === 'helpdesk/support-acted') return textIfAny(`portal.support-act.${String(data['act'])}`, messages, t)
  if (type === 'helpdesk/support-opened') return textIfAny(`portal.support-reason.${String(data['reason'])}`, messages, t)
  if (type.startsWith('accounts/contact-')) return textIfAny(`portal.data.${String(data['kind'])}`, messages, t)
  const scopes = Array.isArray(data['scopes'])
    ? data['scopes'].map((scope) => textIfAny(`portal.short-scope.${String(scope)}`, messages, t))
    : []
  return scopes.filter((scope) => scope !== undefined).join(', ') || undefined
}

function textIfAny(key: string, messages: Messages, t: Translate): string | undefined {
  return messages.has(key) ? t(key) : undefined
}
