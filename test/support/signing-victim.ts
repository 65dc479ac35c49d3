/** A process that signs a document and stops dead where it is told to, so that it can be killed there: `key-used` or `stored`. */
import { pdf } from '../portal/support/signing.ts'
import { openDatabase } from '../../src/platform/db.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { openDocumentScene } from './document-scene.ts'

const [url = '', where = ''] = process.argv.slice(2)
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
/** Neither this nor anything after it ends by itself. */
const forEver = () => new Promise<never>(() => setInterval(() => {}, 1000))

const scene = await openDocumentScene({ open: () => openDatabase({ url: new Sensitive(url), dataDir: 'memory', poolSize: 4 }) })
const person = await scene.person()
const id = await scene.documents.drafts.create(person, [{ name: 'contrato.pdf', bytes: await pdf('Contrato') }])
await scene.documents.drafts.send(person, id)
if (where === 'key-used') {
  scene.onKey((signer) => ({
    ...signer,
    async sign(attributes) {
      await signer.sign(attributes)
      say({ at: 'key-used' })
      return forEver()
    },
  }))
}
say({ at: 'ready', person, id })
await scene.sign(person, id)
say({ at: 'stored' })
await forEver()
