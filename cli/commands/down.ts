import { type Clock, refusal, systemClock } from '#kit';

import { askSupervisor, tellToStop } from '../local/control-socket.ts';
import { dataFolder } from '../local/data-folder.ts';
import { isRunning } from '../local/running.ts';
import { type Output, seconds } from '../output.ts';
import { loadSettings } from '../settings.ts';

const ASK_EVERY_MS = 20;
const PROGRESS_MS = 2_000;
const MAX_MS = 60_000;

/** `mesh down`: stops the shop that `mesh up` started from this folder, and returns when it is gone; DEADLINE_EXCEEDED when it is not within a minute. */
export async function downCommand(output: Output, clock: Clock = systemClock): Promise<void> {
  const { values } = await loadSettings();
  const { controlSocket, logs, path } = dataFolder(values.MESH_DATA_DIR);
  const running = await askSupervisor(controlSocket);
  if (!running) throw refusal('NOT_RUNNING', `no shop runs on ${path}; start one with \`npx mesh up\``);
  await tellToStop(controlSocket);
  const began = clock.now();
  let told = began;
  while (isRunning(running.pid)) {
    const now = clock.now();
    if (now - began > MAX_MS) throw refusal('DEADLINE_EXCEEDED', `process ${running.pid} has not stopped within a minute; see the logs in ${logs}`);
    if (now - told >= PROGRESS_MS) output.note(`waiting for process ${running.pid} to stop … ${seconds((told = now) - began)}`);
    await clock.sleep(ASK_EVERY_MS);
  }
  output.answer(() => `stopped in ${seconds(clock.now() - began)}; the data stay in ${path}`, { stopped: running.pid });
}
