import type { Sweep, Term } from '../platform/retention/term.ts'
import { removedApps, removedCertificates, removedCodes, removedContacts, removedDevices, removedPasskeys } from './retention.store.ts'

const removed = (key: string, table: string, what: string, sweep: Sweep): Term => ({
  key, tables: [table], what, sweep, ending: 'deleted', isHeld: true, days: 365, leastDays: 180, from: 'retirada',
  purpose: 'Apurar tomada de conta: saber o que havia antes', ground: 'LGPD art. 7º, II e IX; Marco Civil da Internet, art. 15 (seis meses, no mínimo)',
})

/** What an account keeps of what its owner took out of it. */
export const accountsTerms: readonly Term[] = [
  removed('contact-removed', 'contact', 'E-mail ou celular que a pessoa retirou ou trocou', removedContacts),
  removed('passkey-removed', 'passkey', 'Chave de acesso retirada', removedPasskeys),
  removed('app-removed', 'totp_factor', 'Aplicativo autenticador retirado', removedApps),
  removed('certificate-removed', 'certificate_factor', 'Certificado retirado como fator de entrada', removedCertificates),
  removed('codes-removed', 'recovery_code', 'Códigos de recuperação trocados', removedCodes),
  removed('device-removed', 'device', 'Aparelho que a pessoa esqueceu', removedDevices),
]
