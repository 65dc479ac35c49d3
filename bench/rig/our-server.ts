/** Our server as it is run, except that with BENCH_HASH=free a password hash costs next to nothing. Run as a child process. */
import { startApp } from '../../src/app.ts'
import { loadConfig } from '../../src/platform/config.ts'
import { keepFacesBusy } from './busy-faces.ts'
import { costFor } from './free-hash.ts'
import { keepVerifying } from './verifying-people.ts'

const app = await startApp({ config: loadConfig(), accounts: costFor(process.env['BENCH_HASH']) })
if (process.env['BENCH_FACES'] === 'yes') void keepFacesBusy(app.rooms.faces)
if (process.env['BENCH_FACES'] === 'checks') void keepVerifying({ ...app.foundation, faces: app.rooms.faces }, process.env['BENCH_PICTURES'] ?? '')
process.once('SIGTERM', () => void app.stop().then(() => process.exit(0)))
