import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import { createKeySigner, fingerprintOf, type Halves, lockRootKey, makeKey, makeRoot, openRootKey, parseCertificate, parseRequest, POLICY_OID, rootName, SHORTEST_HALF, signIssuing, signRootCrl } from '../../signatures/index.ts'
import { type Command, UsageError } from '../command.ts'
import { pemOf, readPem } from './pem.ts'

export interface CeremonyTools {
  readonly clock: Clock
  /** Asks on the terminal and shows nothing of what is typed. */
  readonly askSecret: (question: string) => Promise<string>
}

/** What stands in the folder of the root, which never leaves the offline machine and its copies. */
const FILES = { key: 'raiz.chave.json', certificate: 'raiz.cer.pem', revoked: 'revogadas.json' } as const
const FOLDER = { pasta: { type: 'string', value: 'PASTA', about: 'pasta da raiz, num meio que fica no cofre', required: true } } as const
const revokedSchema = z.array(z.strictObject({ serial: z.string().regex(/^[0-9a-f]+$/), at: z.coerce.date() }))

/** Commands of the root's ceremony: they touch no database and no network, and want two people at the keyboard. */
export function createCeremonyCommands({ clock, askSecret }: CeremonyTools): Command[] {
  return [
    {
      words: 'ac raiz-criar',
      summary: 'Cerimônia: cria a chave da AC raiz, numa máquina sem rede, com duas pessoas',
      notes: 'Cada pessoa digita a sua metade da senha, sem que a outra veja. As duas metades abrem a chave; uma só não abre nada.',
      flags: { ...FOLDER, organizacao: { type: 'string', about: 'nome da organização no certificado', required: true } },
      run: async ({ text }) => {
        const folder = text('pasta') ?? ''
        if (existsSync(join(folder, FILES.key))) throw new UsageError(`${folder} já tem uma raiz: nada foi mudado.`)
        const halves = await askNewHalves(askSecret)
        const key = makeKey('P-384')
        const root = await makeRoot(rootName(text('organizacao') ?? '', false), createKeySigner(key), clock.now())
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        writeFileSync(join(folder, FILES.key), lockRootKey(key, halves), { mode: 0o600, flag: 'wx' })
        writeFileSync(join(folder, FILES.certificate), pemOf('CERTIFICATE', root), { flag: 'wx' })
        const fingerprint = fingerprintOf(root)
        return { text: `Raiz criada em ${folder}.\nImpressão digital (SHA-256), para a ata:\n${fingerprint}`, json: { folder, fingerprint } }
      },
    },
    {
      words: 'ac raiz-assinar',
      summary: 'Cerimônia: assina o pedido de uma AC emissora e faz a primeira lista da raiz',
      positionals: ['PEDIDO'],
      flags: { ...FOLDER, saida: { type: 'string', value: 'PASTA', about: 'onde gravar o que vai para o servidor', required: true } },
      run: async ({ text, positionals: [requestFile = ''] }) => {
        const request = parseRequest(readPem(requestFile, 'CERTIFICATE REQUEST'))
        const { issuer, root, revoked } = await openRoot(text('pasta') ?? '', askSecret)
        const certificate = await signIssuing(request, root, issuer, { now: clock.now(), policy: POLICY_OID.certificates })
        const out = text('saida') ?? ''
        mkdirSync(out, { recursive: true })
        const files = { raiz: join(out, 'raiz.cer.pem'), emissora: join(out, 'emissora.cer.pem'), lista: join(out, 'raiz.crl.pem') }
        writeFileSync(files.raiz, pemOf('CERTIFICATE', root))
        writeFileSync(files.emissora, pemOf('CERTIFICATE', certificate))
        writeFileSync(files.lista, pemOf('X509 CRL', await signRootCrl(issuer, revoked, clock.now())))
        const lines = [`Assinada para: ${request.places.practices.replace(/\/ac\/.*/, '')}`, `Raiz     ${fingerprintOf(root)}`, `Emissora ${fingerprintOf(certificate)}`]
        return { text: lines.join('\n'), json: { ...files, root: fingerprintOf(root), issuing: fingerprintOf(certificate) } }
      },
    },
    {
      words: 'ac raiz-lista',
      summary: 'Cerimônia: faz uma lista nova da raiz (uma por ano, ou ao revogar uma AC emissora)',
      flags: { ...FOLDER, saida: { type: 'string', value: 'ARQUIVO', about: 'onde gravar a lista', required: true }, revogar: { type: 'string', value: 'CERTIFICADO', about: 'AC emissora que não vale mais', multiple: true } },
      run: async ({ text, texts }) => {
        const folder = text('pasta') ?? ''
        const gone = texts('revogar').map((file) => ({ serial: parseCertificate(readPem(file, 'CERTIFICATE')).serial, at: clock.now() }))
        const { issuer, revoked } = await openRoot(folder, askSecret)
        const all = [...revoked, ...gone.filter(({ serial }) => !revoked.some((each) => each.serial === serial)).map((each) => ({ ...each, reason: 'keyCompromise' as const }))]
        writeFileSync(join(folder, FILES.revoked), JSON.stringify(all.map(({ serial, at }) => ({ serial, at }))))
        writeFileSync(text('saida') ?? '', pemOf('X509 CRL', await signRootCrl(issuer, all, clock.now())))
        return { text: `Lista com ${all.length} revogada(s). Publique-a com "ac instalar-lista".`, json: { revoked: all.length } }
      },
    },
  ]
}

async function askNewHalves(askSecret: CeremonyTools['askSecret']): Promise<Halves> {
  const half = async (who: string): Promise<string> => {
    const typed = await askSecret(`${who} pessoa, a sua metade da senha (${SHORTEST_HALF} letras ou mais): `)
    if (typed.length < SHORTEST_HALF) throw new UsageError('Curta demais: nada foi criado.')
    if ((await askSecret(`${who} pessoa, de novo: `)) !== typed) throw new UsageError('As duas vezes não são iguais: nada foi criado.')
    return typed
  }
  const halves = [await half('Primeira'), await half('Segunda')] as const
  if (halves[0] === halves[1]) throw new UsageError('As duas metades são iguais: cada pessoa escolhe a sua. Nada foi criado.')
  return halves
}

async function openRoot(folder: string, askSecret: CeremonyTools['askSecret']) {
  const root = readPem(join(folder, FILES.certificate), 'CERTIFICATE')
  const file = readFileSync(join(folder, FILES.key), 'utf8')
  const halves = [await askSecret('Primeira pessoa, a sua metade da senha: '), await askSecret('Segunda pessoa, a sua metade da senha: ')] as const
  const key = openRootKey(file, halves)
  if (!key) throw new UsageError('As metades não abrem esta chave.')
  const known = join(folder, FILES.revoked)
  const revoked = existsSync(known) ? revokedSchema.parse(JSON.parse(readFileSync(known, 'utf8'))) : []
  return { root, issuer: { name: parseCertificate(root).subject, signer: createKeySigner(key) }, revoked: revoked.map((each) => ({ ...each, reason: 'keyCompromise' as const })) }
}
