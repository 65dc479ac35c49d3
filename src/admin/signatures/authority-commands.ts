import { existsSync, writeFileSync } from 'node:fs'
import type { Authority, InstalledAuthority, RevocationReason } from '../../signatures/index.ts'
import { fingerprintOf, parseCertificate, REVOCATION_REASONS } from '../../signatures/index.ts'
import type { Actor } from '../../oidc/index.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, UsageError } from '../command.ts'
import { pemOf, readPem } from './pem.ts'

export interface AuthorityTools {
  readonly authority: () => Promise<Authority>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: Actor
}

const FILE = { type: 'string', value: 'ARQUIVO' } as const

/** Commands about the certificate authority, on the server's side of the ceremony. */
export function createAuthorityCommands({ authority, actor }: AuthorityTools): Command[] {
  return [
    {
      words: 'ac pedir',
      summary: 'Cria a chave da AC emissora e o pedido (PKCS#10) que a cerimônia da raiz responde',
      notes: 'O pedido leva PUBLIC_URL, porque os certificados a citam para sempre: confira-o antes. Passo a passo em docs/signatures.md.',
      flags: { organizacao: { type: 'string', about: 'nome da organização no certificado', required: true }, saida: { ...FILE, about: 'onde gravar o pedido', required: true } },
      run: async ({ text }) => {
        const file = text('saida') ?? ''
        if (existsSync(file)) throw new UsageError(`${file} já existe: nada foi mudado.`)
        const { id, request } = await (await authority()).request({ organization: text('organizacao') ?? '', actor })
        writeFileSync(file, pemOf('CERTIFICATE REQUEST', request), { flag: 'wx' })
        return { text: `Pedido gravado em ${file}. Leve-o à máquina da raiz: ac raiz-assinar.`, json: { authority: id, file } }
      },
    },
    {
      words: 'ac instalar',
      summary: 'Passa a usar a AC emissora que a cerimônia assinou',
      flags: {
        emissora: { ...FILE, about: 'certificado da AC emissora', required: true },
        raiz: { ...FILE, about: 'certificado da AC raiz', required: true },
        lista: { ...FILE, about: 'lista de revogadas da raiz', required: true },
        impressao: { type: 'string', value: 'SHA-256', about: 'impressão digital da raiz, como está na ata da cerimônia', required: true },
      },
      run: async ({ text }) => {
        const root = readPem(text('raiz') ?? '', 'CERTIFICATE')
        const plain = (fingerprint: string) => fingerprint.replaceAll(/[^0-9a-fA-F]/g, '').toUpperCase()
        if (plain(fingerprintOf(root)) !== plain(text('impressao') ?? '')) throw new UsageError('A impressão digital não é a desta raiz: nada foi instalado.')
        const chain = { root, certificate: readPem(text('emissora') ?? '', 'CERTIFICATE'), rootCrl: readPem(text('lista') ?? '', 'X509 CRL') }
        const installed = await (await authority()).install(chain, actor)
        return { text: describe(installed), json: shown(installed) }
      },
    },
    {
      words: 'ac instalar-lista',
      summary: 'Publica uma lista nova da raiz, feita por "ac raiz-lista"',
      positionals: ['ARQUIVO'],
      run: async ({ positionals: [file = ''] }) => {
        await (await authority()).installRootList(readPem(file, 'X509 CRL'), actor)
        return { text: 'Lista da raiz publicada.', json: { file } }
      },
    },
    {
      words: 'ac mostrar',
      summary: 'Mostra as ACs emissoras e as impressões digitais',
      run: async () => {
        const list = await (await authority()).list()
        const rows = list.map((each) => [each.id, each.isActive ? 'emite' : 'só responde', each.demo ? 'demonstração' : 'produção', fingerprintOf(each.root)])
        return tableOutcome(['id', 'situação', 'tipo', 'raiz (SHA-256)'], rows, list.map(shown), 'Nenhuma AC: comece por "ac pedir" (docs/signatures.md).')
      },
    },
    {
      words: 'ac revogar',
      summary: 'Revoga um certificado que esta AC emitiu; vale na hora (OCSP e LCR)',
      notes: `Motivos: ${Object.keys(REVOCATION_REASONS).join(', ')}. Um serviço cujo certificado se revoga ganha outro na próxima vez que assina.`,
      positionals: ['SÉRIE'],
      flags: { motivo: { type: 'string', value: 'MOTIVO', about: 'por quê', required: true } },
      run: async ({ text, positionals: [typed = ''] }) => {
        const reason = text('motivo') ?? ''
        if (!isReason(reason)) throw new UsageError(`Motivo desconhecido: ${reason}.`)
        const serial = typed.replaceAll(':', '').toLowerCase()
        await (await authority()).revoke({ serial, reason, actor })
        return { text: `Revogado: ${serial}`, json: { serial, reason } }
      },
    },
    {
      words: 'ac recifrar',
      summary: 'Cifra de novo as chaves da AC com a chave de selo atual',
      notes: 'Depois de "cofre rotacionar", passado um minuto.',
      run: async () => {
        const keys = await (await authority()).reseal()
        return { text: `${keys} chaves cifradas de novo.`, json: { keys } }
      },
    },
  ]
}

function isReason(text: string): text is RevocationReason {
  return Object.hasOwn(REVOCATION_REASONS, text)
}

function shown({ id, isActive, demo, organization, certificate, root }: InstalledAuthority) {
  return { authority: id, active: isActive, demo, organization, root_sha256: fingerprintOf(root), issuing_sha256: fingerprintOf(certificate), not_after: parseCertificate(certificate).notAfter }
}

function describe({ root, certificate }: InstalledAuthority): string {
  return `AC emissora em uso.\nRaiz     ${fingerprintOf(root)}\nEmissora ${fingerprintOf(certificate)}`
}
