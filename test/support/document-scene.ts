/** Documents signed over a real database and the real signing thread; proofs of the provider are made by the test. */
import type { Account, Cpf } from '../../src/accounts/index.ts'
import { createAudit } from '../../src/audit/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { createDocuments } from '../../src/platform/documents/documents.ts'
import { loadMessages } from '../../src/platform/http/messages.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Problem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import {
  type ActivatedSigner, createDocumentSigning, type DocumentSigning, type Person, type RemoteSigning, type Represented, SIGNATURE_PROBLEMS, signatureEvents, type Signatures, type SigningPolicy,
} from '../../src/signatures/index.ts'
import { cpfOfNobody } from './citizen-journey.ts'
import { openSigningScene, type SigningScene } from './signing-scene.ts'

const FOLDER = new URL('../../views/messages', import.meta.url).pathname

export interface SceneNotice {
  readonly accountId: string
  readonly notice: string
}

export interface DocumentScene extends Omit<SigningScene, 'told' | 'adopt'> {
  readonly documents: DocumentSigning
  readonly told: SceneNotice[]
  /** Whom the register lets anybody sign for. */
  readonly represented: Represented[]
  person(): Promise<Person>
  /** Somebody whom another process added to the same database. */
  adopt(person: Person, personId: string): void
  /** Tells signers whose turn has come, as the job does. */
  tell(): Promise<void>
  /** Confirms and proves as this person. */
  sign(by: Person, envelopeId: string): Promise<void>
  /** What stands between the key and whoever asked for it. */
  onKey(work: (signer: ActivatedSigner) => ActivatedSigner | Promise<ActivatedSigner>): void
}

let people = 100

export interface DocumentSceneOptions {
  readonly open?: () => Promise<Database>
  /** Replaces what the room gives, to break it. */
  readonly policy?: Partial<SigningPolicy>
  readonly signing?: (signing: Signatures['signing']) => Signatures['signing']
}

export async function openDocumentScene({ open, signing: change = (same) => same, policy }: DocumentSceneOptions = {}): Promise<DocumentScene> {
  const scene = await openSigningScene(open && { open })
  const { db, clock, keyring, signatures, site, signing } = scene
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [signatureEvents] } })
  const texts = loadMessages({ folder: FOLDER, strict: true })
  const papers = createDocuments()
  const accounts = new Map<string, Account>()
  const told: SceneNotice[] = []
  const represented: Represented[] = []
  const toTell = new Set<string>()
  let onKey: (signer: ActivatedSigner) => ActivatedSigner | Promise<ActivatedSigner> = (signer) => signer
  const activations: Pick<RemoteSigning['activations'], 'open' | 'confirm'> = {
    open: signing.activations.open,
    confirm: async (proof) => onKey(await signing.activations.confirm(proof)),
  }
  const documents = createDocumentSigning({
    platform: { db, clock, keyring },
    rooms: {
      audit, signing: change(signatures.signing),
      accounts: {
        find: async (id) => accounts.get(id),
        findByCpf: async (cpf) => [...accounts.values()].find(({ citizen }) => citizen.reveal().cpf === cpf),
      },
    },
    paper: { texts, publicUrl: site.url, documents: papers },
    keys: {
      activations, credentials: scene.signing.credentials,
      powers: {
        list: async () => represented,
        async get(_by, { mandateId, party }) {
          const found = represented.find((one) => one.mandateId === mandateId && one.party === party)
          if (!found) throw new Problem(SIGNATURE_PROBLEMS.mandateUnfit)
          return found
        },
      },
    },
    ports: {
      policy: { withoutTime: 'refuse', levels: ['B-LT', 'B-T', 'B-LTA'], ...policy },
      notify: async (_tx, { id }, { notice }) => void told.push({ accountId: id, notice }),
      queueTelling: async (_tx, envelopeId) => void toTell.add(envelopeId),
    },
  })
  scene.allowRepresentation((one) => represented.some(({ mandateId }) => mandateId === one.mandateId))

  function remember({ accountId, cpf, name }: Person, personId: string): void {
    const citizen = new Sensitive({ cpf, name, socialName: undefined, birthDate: '1985-03-12', email: undefined, phone: undefined })
    accounts.set(accountId, { id: accountId, personId, status: 'active', citizen, locale: 'pt-BR', roles: [] } as unknown as Account)
  }

  return {
    ...scene, documents, told, represented,
    onKey: (work) => {
      onKey = work
    },
    async person() {
      people += 1
      // Made by the same rule as every CPF.
      const cpf = cpfOfNobody(people) as Cpf
      const { accountId, personId } = await scene.addCitizen(cpf)
      const name = `Pessoa Inventada ${'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[people % 26]}${people}`.replace(/\d+$/, ' Silva')
      remember({ accountId, cpf, name }, personId)
      return { accountId, cpf, name }
    },
    adopt(person, personId) {
      remember(person, personId)
      scene.adopt(person.accountId, personId, person.cpf)
    },
    async tell() {
      for (const id of [...toTell]) {
        toTell.delete(id)
        await documents.care.tellSigners(id)
      }
    },
    async sign(by, envelopeId) {
      const { attemptId, nonce } = await documents.confirmations.begin(by, envelopeId)
      await documents.confirmations.finish(by, attemptId, { idToken: await scene.proof({ accountId: by.accountId, personId: '' }, nonce) })
    },
    async close() {
      await documents.close()
      await papers.close()
      await audit.stop()
      await scene.close()
    },
  }
}
