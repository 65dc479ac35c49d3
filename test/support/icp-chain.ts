/** An authority such as ICP-Brasil's, made and run by OpenSSL: root, issuing authority, people, OCSP and lists over HTTP. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface IcpPerson {
  readonly name: string
  readonly cpf: string
  /** Lines of alternative names in the place of a person's. */
  readonly altNames?: readonly string[]
  readonly policy?: string
  readonly usage?: string
  readonly purposes?: string
  readonly selfSigned?: boolean
  readonly commonName?: string
}

export interface IcpHolding {
  readonly cert: string
  readonly key: string
  readonly der: Buffer
  readonly serial: string
}

export interface IcpChain {
  readonly root: Buffer
  readonly issuing: Buffer
  readonly issuingPem: string
  /** `host:port` of its OCSP and lists. */
  readonly host: string
  /** What is asked of it, in order. */
  readonly asked: string[]
  /** Answers nothing any more, or again; or lists alone. */
  answers: 'all' | 'lists' | 'none'
  issue(person: IcpPerson): IcpHolding
  revoke(holding: IcpHolding): void
  close(): Promise<void>
}

export const A3_POLICY = '2.16.76.1.2.3.1'
/** Birth date, CPF, NIS, RG and its issuer, as DOC-ICP-04 lays them out. */
export const personNames = (cpf: string): string[] => [`2.16.76.1.3.1;FORMAT:ASCII,OCT:04051990${cpf}00000000000000001234567SSPMT`, '2.16.76.1.3.6;FORMAT:ASCII,OCT:000000000000']

const openssl = (folder: string, ...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
const derOf = (folder: string, file: string): Buffer => Buffer.from(openssl(folder, 'x509', '-in', file, '-outform', 'DER'))

/** Starts one; each has another root of the same names. */
export async function openIcpChain(): Promise<IcpChain> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-icp-'))
  const state: { answers: IcpChain['answers'] } = { answers: 'all' }
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const isList = request.url?.endsWith('.crl')
    if (state.answers === 'none' || (state.answers === 'lists' && !isList)) return void response.writeHead(503).end()
    const answer = isList ? listOf(folder, request.url ?? '') : buffer(request).then((question) => answerTo(folder, question))
    answer.then((bytes) => response.end(bytes), (error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  makeAuthorities(folder, host)
  let people = 0
  return {
    root: derOf(folder, 'root.pem'), issuing: derOf(folder, 'issuing.pem'), issuingPem: readFileSync(path.join(folder, 'issuing.pem'), 'utf8'), host, asked,
    get answers() {
      return state.answers
    },
    set answers(value) {
      state.answers = value
    },
    issue(person) {
      people += 1
      return issue({ folder, host, number: people }, person)
    },
    revoke({ serial }) {
      const index = path.join(folder, 'issuing.txt')
      const at = `${new Date().toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`
      writeFileSync(index, readFileSync(index, 'utf8').replace(new RegExp(`^V\\t(\\w+)\\t\\t${serial}\\t`, 'm'), `R\t$1\t${at}\t${serial}\t`))
    },
    close: () => close(server, folder),
  }
}

async function close(server: Server, folder: string): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
}

function makeAuthorities(folder: string, host: string): void {
  mkdirSync(path.join(folder, 'people'))
  for (const name of ['root', 'issuing']) {
    writeFileSync(path.join(folder, `${name}.txt`), '')
    writeFileSync(path.join(folder, `${name}.txt.attr`), 'unique_subject = no\n')
    writeFileSync(path.join(folder, `${name}.cnf`), `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}.txt\ndefault_md=sha256\ndefault_crl_days=2\n`)
  }
  openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'root.key', '-out', 'root.pem', '-days', '3650', '-subj', '/C=BR/O=ICP-Brasil/CN=Raiz de teste',
    '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
  const extensions = `basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\ncrlDistributionPoints=URI:http://${host}/root.crl\n`
  sign(folder, { by: 'root', file: 'issuing', subject: '/C=BR/O=ICP-Brasil/CN=AC de teste', extensions, serial: '1000' })
}

function sign(folder: string, { by, file, subject, extensions, serial }: { by: string; file: string; subject: string; extensions: string; serial: string }): void {
  writeFileSync(path.join(folder, `${file}.ext`), extensions)
  openssl(folder, 'req', '-new', '-utf8', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', subject)
  const issuer = by === 'self' ? ['-signkey', `${file}.key`] : ['-CA', `${by}.pem`, '-CAkey', `${by}.key`]
  openssl(folder, 'x509', '-req', '-in', `${file}.csr`, ...issuer, '-set_serial', `0x${serial}`, '-days', '365', '-sha256', '-extfile', `${file}.ext`, '-out', `${file}.pem`)
}

function issue({ folder, host, number }: { folder: string; host: string; number: number }, person: IcpPerson): IcpHolding {
  const { name, cpf, altNames = personNames(cpf), policy = A3_POLICY, usage = 'digitalSignature,nonRepudiation,keyEncipherment', purposes = 'clientAuth,emailProtection', selfSigned = false } = person
  const file = `people/${number}`
  const serial = (0x2000 + number).toString(16).toUpperCase()
  const extensions = [
    `keyUsage=critical,${usage}`, `extendedKeyUsage=${purposes}`, `certificatePolicies=${policy}`, `authorityInfoAccess=OCSP;URI:http://${host}/ocsp`,
    `crlDistributionPoints=URI:http://${host}/issuing.crl`, ...(altNames.length > 0 ? ['subjectAltName=@alt', '[alt]', ...altNames.map((line, index) => `otherName.${index}=${line}`)] : []),
  ]
  sign(folder, { by: selfSigned ? 'self' : 'issuing', file, subject: `/C=BR/O=ICP-Brasil/CN=${person.commonName ?? `${name}:${cpf}`}`, extensions: `${extensions.join('\n')}\n`, serial })
  const index = path.join(folder, 'issuing.txt')
  writeFileSync(index, `${readFileSync(index, 'utf8')}V\t350101000000Z\t\t${serial}\tunknown\t/CN=x${number}\n`)
  const [cert, key] = ['pem', 'key'].map((kind) => readFileSync(path.join(folder, `${file}.${kind}`), 'utf8'))
  return { cert: cert ?? '', key: key ?? '', der: derOf(folder, `${file}.pem`), serial }
}

async function listOf(folder: string, url: string): Promise<Buffer> {
  const name = url.startsWith('/root') ? 'root' : 'issuing'
  const { stdout } = await run('openssl', ['ca', '-gencrl', '-config', `${name}.cnf`, '-cert', `${name}.pem`, '-keyfile', `${name}.key`], { cwd: folder })
  return Buffer.from(/-----BEGIN X509 CRL-----([\s\S]*?)-----END/.exec(stdout)?.[1] ?? '', 'base64')
}

async function answerTo(folder: string, question: Buffer): Promise<Buffer> {
  const [asked, answer] = ['req', 'resp'].map((kind) => path.join(folder, `${Math.random()}.${kind}`))
  writeFileSync(asked ?? '', question)
  await run('openssl', ['ocsp', '-index', 'issuing.txt', '-CA', 'issuing.pem', '-rsigner', 'issuing.pem', '-rkey', 'issuing.key', '-reqin', asked ?? '', '-respout', answer ?? '', '-ndays', '2'], { cwd: folder })
  return readFileSync(answer ?? '')
}
