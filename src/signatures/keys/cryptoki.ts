import { Problem } from '../../platform/problem.ts'
import type { Sensitive } from '../../platform/sensitive.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'

/** Where the token is, and what opens it. */
export interface TokenPlace {
  /** The token maker's library, as `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string
  /** CKA_LABEL of the token: slots are renumbered when machines start. */
  readonly label: string
  readonly pin: Sensitive<string>
}

type Handle = Buffer
interface Mechanism {
  readonly mechanism: number
}
export type Attributes = readonly { readonly type: number; readonly value?: boolean | number | Buffer }[]

/** What is used of PKCS#11 v2.40, by the names that it gives. */
interface Cryptoki {
  load(path: string): void
  close(): void
  C_Initialize(options: { flags: number }): void
  C_Finalize(): void
  C_GetSlotList(isPresent: boolean): Handle[]
  C_GetTokenInfo(slot: Handle): { readonly label: string }
  C_OpenSession(slot: Handle, flags: number): Handle
  C_CloseAllSessions(slot: Handle): void
  C_Login(session: Handle, user: number, pin: string): void
  C_GenerateKeyPairAsync(session: Handle, mechanism: Mechanism, publicKey: Attributes, privateKey: Attributes): Promise<{ publicKey: Handle; privateKey: Handle }>
  C_GetAttributeValue(session: Handle, object: Handle, wanted: Attributes): { readonly type: number; readonly value: Buffer }[]
  C_FindObjectsInit(session: Handle, wanted: Attributes): void
  C_FindObjects(session: Handle, most: number): Handle[]
  C_FindObjectsFinal(session: Handle): void
  C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_SignAsync(session: Handle, bytes: Buffer, room: Buffer): Promise<Buffer>
}

/** Numbers of the standard (PKCS #11 v2.40, appendix A). */
export const CK = {
  OS_LOCKING: 2, RW_SESSION: 2, SERIAL_SESSION: 4, USER: 1,
  CLASS: 0, TOKEN: 1, PRIVATE: 2, LABEL: 3, KEY_TYPE: 0x100, ID: 0x102, SENSITIVE: 0x103, SIGN: 0x108, VERIFY: 0x10a,
  MODULUS: 0x120, MODULUS_BITS: 0x121, PUBLIC_EXPONENT: 0x122, EXTRACTABLE: 0x162, EC_PARAMS: 0x180, EC_POINT: 0x181,
  PRIVATE_KEY: 3, RSA_KEY_PAIR_GEN: 0, SHA256_RSA_PKCS: 0x40, EC_KEY_PAIR_GEN: 0x1040, ECDSA: 0x1041,
  PIN_INCORRECT: 0xa0, ALREADY_INITIALIZED: 0x191, ALREADY_LOGGED_IN: 0x100,
} as const

/** The longest signature, of RSA-4096. */
const SIGNATURE_BYTES = 512
/** Operations at once: a session does one at a time, and tokens have few. */
const SESSIONS = 4
/** An optional dependency: it is compiled at installation, and who keeps keys under the keyring does without. */
const PACKAGE: string = 'pkcs11js'

/** Sessions with a token; each operation has one to itself. */
export interface TokenSessions {
  /** @throws {Problem} signatures/key-unavailable when the token is gone, is another or refuses. */
  run<T>(work: (cryptoki: Cryptoki, session: Handle) => Promise<T>): Promise<T>
  close(): Promise<void>
}

interface Opened {
  readonly cryptoki: Cryptoki
  readonly slot: Handle
  readonly idle: Handle[]
  readonly waiting: ((session: Handle) => void)[]
}

/**
 * Opened at the first use, and again after a failure: a token that was pulled and put back answers again.
 *
 * Not after a wrong PIN: tokens lock themselves after a few of those, so a restart is needed.
 */
export function createTokenSessions(place: TokenPlace): TokenSessions {
  let opened: Promise<Opened> | undefined

  async function run<T>(work: (cryptoki: Cryptoki, session: Handle) => Promise<T>): Promise<T> {
    opened ??= open(place)
    const mine = opened
    try {
      const token = await mine
      const session = token.idle.pop() ?? (await new Promise<Handle>((resolve) => token.waiting.push(resolve)))
      try {
        return await work(token.cryptoki, session)
      } finally {
        const next = token.waiting.shift()
        if (next) next(session)
        else token.idle.push(session)
      }
    } catch (error) {
      if (error instanceof Problem) throw error
      if (opened === mine && !isWrongPin(error)) opened = undefined
      throw new Problem(SIGNATURE_PROBLEMS.keyUnavailable, { cause: error })
    }
  }

  return {
    run,
    async close() {
      const token = await opened?.catch(() => undefined)
      opened = undefined
      if (!token) return
      token.cryptoki.C_CloseAllSessions(token.slot)
      token.cryptoki.C_Finalize()
      token.cryptoki.close()
    },
  }
}

async function open({ module, label, pin }: TokenPlace): Promise<Opened> {
  const cryptoki = await load(module)
  // Another part of this process may have opened the module already; whoever closes it last ends it.
  tolerate(CK.ALREADY_INITIALIZED, () => cryptoki.C_Initialize({ flags: CK.OS_LOCKING }))
  const slot = cryptoki.C_GetSlotList(true).find((each) => cryptoki.C_GetTokenInfo(each).label.trim() === label)
  if (!slot) throw new Error(`no token is labelled ${label}`)
  const idle = Array.from({ length: SESSIONS }, () => cryptoki.C_OpenSession(slot, CK.RW_SESSION | CK.SERIAL_SESSION))
  const [first] = idle
  if (first) tolerate(CK.ALREADY_LOGGED_IN, () => cryptoki.C_Login(first, CK.USER, pin.reveal()))
  return { cryptoki, slot, idle, waiting: [] }
}

async function load(module: string): Promise<Cryptoki> {
  // Its types are not imported: the package may be absent where the types are checked.
  const { default: library } = (await import(PACKAGE)) as { default: { PKCS11: new () => Cryptoki } }
  const cryptoki = new library.PKCS11()
  cryptoki.load(module)
  return cryptoki
}

function tolerate(code: number, run: () => void): void {
  try {
    run()
  } catch (error) {
    if (codeOf(error) !== code) throw error
  }
}

function isWrongPin(error: unknown): boolean {
  return codeOf(error) === CK.PIN_INCORRECT
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** The private key whose CKA_ID this is. */
export function findPrivateKey(cryptoki: Cryptoki, session: Handle, id: Buffer): Handle | undefined {
  cryptoki.C_FindObjectsInit(session, [{ type: CK.CLASS, value: CK.PRIVATE_KEY }, { type: CK.ID, value: id }])
  try {
    return cryptoki.C_FindObjects(session, 1)[0]
  } finally {
    cryptoki.C_FindObjectsFinal(session)
  }
}

/** A signature by a key of the token, in the token's own form. */
export async function signWith(cryptoki: Cryptoki, session: Handle, { key, mechanism, bytes }: { key: Handle; mechanism: number; bytes: Buffer }): Promise<Buffer> {
  cryptoki.C_SignInit(session, { mechanism }, key)
  return Buffer.from(await cryptoki.C_SignAsync(session, bytes, Buffer.alloc(SIGNATURE_BYTES)))
}
