import type { Accounts, CertificateDoor } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit } from '../../audit/index.ts'
import { createTellCitizen } from '../../helpdesk/index.ts'
import { guardedFetch } from '../../oidc/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { createIcp, HOST_PAGE, type Icp, type IcpPorts, type Signatures } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'

export interface OpenIcpDependencies {
  readonly foundation: Foundation
  readonly rooms: { readonly audit: Audit; readonly accounts: Accounts; readonly assurance: Assurance; readonly signatures: Signatures }
  readonly messages: Messages
}

/** ICP-Brasil certificates as seals, their daily look, and what they ask of the outside. */
export function openIcp({ foundation, rooms, messages }: OpenIcpDependencies): Icp {
  const { config, db, clock, keyring, jobs, outbox } = foundation
  const { audit, accounts, assurance, signatures } = rooms
  const tell = createTellCitizen({ outbox, messages, publicUrl: config.platform.publicUrl })
  const allowedHosts = config.signatures.certificateInternalHosts
  const ports: IcpPorts = {
    async findPerson(accountId) {
      const account = await accounts.find(accountId)
      if (account?.status !== 'active') return undefined
      const { cpf, name } = account.citizen.reveal()
      return { personId: account.personId, cpf, name }
    },
    async tell(tx, accountId, notice) {
      const account = await accounts.findIn(tx, accountId)
      if (account) await tell(tx, account, `icp.${notice}`)
    },
    async fetchBytes(address, { body, mostBytes, deadlineMs }) {
      const question = body && { method: 'POST', body, headers: { 'content-type': 'application/ocsp-request' } }
      const response = await guardedFetch(address, { ...question, allowedHosts, bounds: { mostBytes, deadlineMs, clearText: true } })
      if (response.status !== 200) throw new Error(`status ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    },
  }
  const icp = createIcp({ platform: { db, clock, keyring }, audit, assurance, trust: signatures.trust, ports })
  jobs.schedule('icp-recheck', '47 5 * * *', async () => void (await icp.recheck()))
  jobs.schedule('certificate-factors-warn', '13 9 * * *', () => accounts.factors.certificates.warn())
  jobs.schedule('icp-purge', '33 * * * *', icp.purge)
  return icp
}

/** How long it may stay unsaid on sign-in pages that an operator trusted a first root, or the last one no more. */
const TRUST_MS = 30_000

/** The certificate's host as a door to accounts, which are opened before it. */
export function certificateDoor({ config, clock }: Pick<Foundation, 'config' | 'clock'>, icp: () => Icp): CertificateDoor {
  const { certificateUrl } = config.signatures
  let known: { readonly at: number; readonly isOpen: boolean } | undefined
  const host = async () => {
    if (certificateUrl === undefined) return undefined
    const now = clock.now().getTime()
    if (known === undefined || Math.abs(now - known.at) > TRUST_MS) known = { at: now, isOpen: (await icp().authorities()).length > 0 }
    return known.isOpen ? certificateUrl : undefined
  }
  return {
    host,
    async begin(asker, page) {
      const word = (await host()) && (await icp().beginFor(asker, page))
      return word && `${certificateUrl}${HOST_PAGE}?pedido=${word}`
    },
    read: (ticket, asker, fault) => icp().read(ticket, asker, fault),
  }
}
