// One member of a group, as a process of its own that a test can kill: prints `subject number` of each event that it is given.
import { setTimeout as delay } from 'node:timers/promises';

import type { MemberOptions, OpenerModule } from './bus-conformance-support.ts';

const LIFETIME_MS = 60_000;

const [, , opener = '', address = '', options = ''] = process.argv;
// The test names a module of that kind, and writes options of that kind.
const { openBus } = (await import(opener)) as OpenerModule;
const { group, topic, heldSubject, pauseMs = 0 } = JSON.parse(options) as MemberOptions;
openBus(address).subscribe({
  group,
  topics: [topic],
  async deliver({ subject, data }) {
    process.stdout.write(`${subject} ${String(data['number'])}\n`);
    if (subject === heldSubject) await new Promise(() => {});
    if (pauseMs > 0) await delay(pauseMs);
  },
});
// Should the test die before it has ended this.
setTimeout(() => process.kill(process.pid, 'SIGKILL'), LIFETIME_MS);
