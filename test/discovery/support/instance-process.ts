import { startBackend } from './backend.ts';

// An instance in a process of its own, so that it can be killed and stalled. It ends when its parent does.
const backend = await startBackend(`process ${process.pid}`);
process.stdout.write(`${backend.port}\n`);
process.stdin.resume().once('end', () => process.exit(0));
