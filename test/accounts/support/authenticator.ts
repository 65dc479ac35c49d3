import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const BACKUP_ELIGIBLE = 0x08
const BACKED_UP = 0x10
const ATTESTED = 0x40

interface Faults {
  readonly origin?: string
  readonly rpId?: string
  readonly isVerified?: boolean
  readonly counter?: number
  readonly challenge?: string
}

/** A WebAuthn authenticator in software: one discoverable ES256 credential, attestation `none`. */
export class Authenticator {
  readonly id = randomBytes(32)
  counter = 0
  readonly #key: KeyObject
  readonly #jwk: { x?: string; y?: string }
  readonly #origin: string
  readonly #isSynced: boolean
  #userHandle = ''

  constructor(options: { origin?: string; isSynced?: boolean } = {}) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#jwk = publicKey.export({ format: 'jwk' })
    this.#origin = options.origin ?? 'http://localhost:3000'
    this.#isSynced = options.isSynced ?? false
  }

  create(options: { challenge: string; user: { id: string } }, faults: Faults = {}): object {
    this.#userHandle = options.user.id
    const clientDataJSON = this.#clientData('webauthn.create', options.challenge, faults)
    const attestationObject = cborMap([['fmt', cborText('none')], ['attStmt', cborMap([])], ['authData', cborBytes(this.#authData(ATTESTED, faults))]])
    const id = this.id.toString('base64url')
    return {
      id, rawId: id, type: 'public-key', clientExtensionResults: { credProps: { rk: true } }, authenticatorAttachment: 'platform',
      response: { clientDataJSON: clientDataJSON.toString('base64url'), attestationObject: attestationObject.toString('base64url'), transports: ['internal'] },
    }
  }

  get(options: { challenge: string }, faults: Faults = {}): object {
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, faults)
    const authenticatorData = this.#authData(0, faults)
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()])
    const signature = createSign('sha256').update(signed).sign(this.#key)
    const id = this.id.toString('base64url')
    return {
      id, rawId: id, type: 'public-key', clientExtensionResults: {},
      response: {
        clientDataJSON: clientDataJSON.toString('base64url'), authenticatorData: authenticatorData.toString('base64url'),
        signature: signature.toString('base64url'), userHandle: this.#userHandle,
      },
    }
  }

  #clientData(type: string, challenge: string, faults: Faults): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge: faults.challenge ?? challenge, origin: faults.origin ?? this.#origin, crossOrigin: false }))
  }

  #authData(flags: number, { rpId = 'localhost', isVerified = true, counter }: Faults): Buffer {
    if (!this.#isSynced) this.counter += 1
    const all = flags | USER_PRESENT | (isVerified ? USER_VERIFIED : 0) | (this.#isSynced ? BACKUP_ELIGIBLE | BACKED_UP : 0)
    const head = Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([all]), uint32(counter ?? this.counter)])
    if ((flags & ATTESTED) === 0) return head
    return Buffer.concat([head, Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, this.#coseKey()])
  }

  #coseKey(): Buffer {
    const [x, y] = [Buffer.from(this.#jwk.x ?? '', 'base64url'), Buffer.from(this.#jwk.y ?? '', 'base64url')]
    return Buffer.concat([Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]), cborBytes(x), Buffer.from([0x22]), cborBytes(y)])
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function cborHead(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length])
  return length < 256 ? Buffer.from([(major << 5) | 24, length]) : Buffer.from([(major << 5) | 25, length >> 8, length & 255])
}

function cborText(text: string): Buffer {
  return Buffer.concat([cborHead(3, Buffer.byteLength(text)), Buffer.from(text)])
}

function cborBytes(bytes: Buffer): Buffer {
  return Buffer.concat([cborHead(2, bytes.length), bytes])
}

function cborMap(entries: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flatMap(([key, value]) => [cborText(key), value])])
}
