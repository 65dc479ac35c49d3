import type { Accounts } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { maskedDocument, parsePartyRef, type Proxies, PROXIES_PROBLEMS, type Representable } from '../../proxies/index.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { createDocumentSigning, createNotifySigner, type DocumentSigning, type Person, type Powers, type RemoteSigning, type Represented, SIGNATURE_PROBLEMS, type Signatures } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'
import { representedAgency } from './serving.ts'
import { sealedDocuments } from './organisation-seal.ts'

/** Name of the job that tells signers that it is their turn. */
const TELL_JOB = 'signing-tell'

/** In any agency's catalogue, the code of the power to sign documents for somebody. */
export const SIGNING_POWER = 'assinar-documentos'

export interface OpenDocumentSigningDependencies {
  readonly foundation: Foundation
  readonly rooms: { readonly audit: Audit; readonly accounts: Accounts; readonly proxies: Proxies; readonly signatures: Signatures; readonly signing: RemoteSigning }
  readonly messages: Messages
}

/** The signing of documents, its jobs, and what it asks of the register of mandates. */
export function openDocumentSigning({ foundation, rooms, messages }: OpenDocumentSigningDependencies): DocumentSigning {
  const { config, db, clock, keyring, outbox, jobs } = foundation
  const { audit, accounts, proxies, signatures, signing } = rooms
  const { publicUrl } = config.platform
  const documents = createDocumentSigning({
    platform: { db, clock, keyring },
    rooms: { audit, accounts, signing: signatures.signing },
    paper: { texts: messages, publicUrl, documents: sealedDocuments(foundation, signatures, 'Recibo de assinatura') },
    keys: { activations: signing.activations, credentials: signing.credentials, powers: powersOf(proxies, accounts) },
    ports: {
      policy: { withoutTime: config.signatures.withoutTime, levels: config.signatures.levels },
      notify: createNotifySigner({ outbox, messages, publicUrl }),
      queueTelling: (tx, envelopeId) => jobs.send(TELL_JOB, { envelopeId }, { tx }),
    },
  })
  jobs.work(TELL_JOB, ({ envelopeId }) => documents.care.tellSigners(String(envelopeId)))
  jobs.schedule('signing-sweep', '*/2 * * * *', async () => void (await documents.care.sweep()))
  jobs.schedule('signing-times', '* * * * *', async () => void (await documents.lateTimes.add()))
  jobs.schedule('signing-purge', '19 * * * *', async () => void (await documents.care.purge()))
  return documents
}

/** While the company register does not answer nobody is represented, and everybody can sign for themselves. */
async function representable(proxies: Proxies, personId: string): Promise<Representable[]> {
  const roles = (await proxies.roles.list({ hidden: true })).filter(({ code }) => code === SIGNING_POWER).map(({ namespace, code }) => `${namespace}:${code}`)
  if (roles.length === 0) return []
  return proxies.parties.representable(personId, { roles }).catch((error: unknown) => {
    if (isProblem(error, PROXIES_PROBLEMS.companyRegisterDown)) return []
    throw error
  })
}

function powersOf(proxies: Proxies, accounts: Pick<Accounts, 'find'>): Powers {
  async function list({ accountId }: Person): Promise<Represented[]> {
    const account = await accounts.find(accountId)
    if (!account) return []
    const found = await representable(proxies, account.personId)
    // What is only for one thing, or only for several together, is not for everything that one may sign alone.
    const parties = found.filter(({ joint, instance }) => joint === undefined && instance === undefined).flatMap(representedBy)
    return [...parties, ...(await proxies.servants.servingOf(accountId)).map(representedAgency)]
  }
  return {
    list,
    async get(by, { mandateId, party, power }) {
      const found = (await list(by)).find((one) => one.mandateId === mandateId && one.party === party && one.power === power)
      if (!found) throw new Problem(SIGNATURE_PROBLEMS.mandateUnfit)
      return found
    },
  }
}

function representedBy({ kind, document, name, mandateId, powers }: Representable): Represented[] {
  const ref = parsePartyRef(document)
  if (!ref || (kind !== 'person' && kind !== 'company')) return []
  const identifier = maskedDocument({ kind, document })
  return powers.slice(0, 1).map(({ namespace, code }) => ({
    kind: 'representative' as const, mandateId: mandateId ?? 'registro', represented: { kind, name, identifier }, role: mandateId ? 'procuração' : 'administração',
    party: document, power: `${namespace}:${code}`,
  }))
}
