/** A process that gives by signature and stops dead where it is told to: `key-used`, `writing` (in the transaction) or `given`. */
import { openDatabase } from '../../../src/platform/db.ts'
import { Sensitive } from '../../../src/platform/sensitive.ts'
import { openScene, SHARED_KEY } from './scene.ts'

const [url = '', where = ''] = process.argv.slice(2)
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
/** Neither this nor anything after it ends by itself. */
const forEver = () => new Promise<never>(() => setInterval(() => {}, 1000))

async function stopAt(place: string): Promise<void> {
  if (place !== where) return
  say({ at: place })
  await forEver()
}

const scene = await openScene(await openDatabase({ url: new Sensitive(url), dataDir: 'memory', poolSize: 4 }), { masterKey: SHARED_KEY, onNotice: () => stopAt('writing') })
const sale = await scene.addRole('veiculo.vender', { signature: 'avancada' })
const [owner, holder] = [await scene.addPerson(), await scene.addPerson()]
const grants = scene.proxies.signedBy({
  open: async () => ({ activationId: 'first', nonce: 'nonce' }),
  async sign({ pdfs }) {
    await stopAt('key-used')
    return pdfs.map((pdf) => Buffer.concat([pdf, Buffer.from('signed')]))
  },
})
const id = await grants.prepare(owner.by, scene.terms(holder, sale))
await grants.begin(owner.by, id)
say({ at: 'ready', owner, holder, id, sale })
await grants.finish(owner.by, id, { idToken: 'proof' })
await stopAt('given')
