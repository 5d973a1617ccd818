import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { TrustBundle } from '#discovery';

import { requireBackend } from '../backends/locate.ts';
import { startProcess, untilReady } from '../backends/server-process.ts';
import type { Shown } from '../discovery/support/held-identity.ts';

const PROGRAMS = join(import.meta.dirname, 'python');

/** What a program in Python got for its call. */
export interface PythonOutcome {
  /** Of gRPC, such as `OK`. */
  readonly code: string;
  readonly details: string;
  /** The message, in hex. */
  readonly answer: string;
}

export interface PythonCall {
  readonly port: number;
  /** Whom it means to call. */
  readonly service: string;
  /** Such as `/shop.user.v1.UserService/GetUser`. */
  readonly path: string;
  readonly request: Uint8Array;
  /** Default: as the service that the files are of. */
  readonly withoutCertificate?: boolean;
}

/** A service in Python: its certificate and key, as files. */
export interface PythonService {
  call(call: PythonCall): Promise<PythonOutcome>;
  /** Other certificates and roots in its files, put there while its programs run. */
  renew(shown: Shown, trust: TrustBundle): Promise<void>;
  /** Serves `user`, to the one service with this SPIFFE id. Returns its port with TLS, and the one for health checks. */
  serveUser(allowed: string): Promise<{ readonly port: number; readonly healthPort: number }>;
  stop(): Promise<void>;
}

export async function createPythonService(shown: Shown, trust: TrustBundle): Promise<PythonService> {
  const python = await requireBackend('grpcio');
  const folder = await mkdtemp(join(tmpdir(), 'shopmesh-python-'));
  const toStop = [() => rm(folder, { recursive: true, force: true })];

  async function renew({ chainPem, keyPem }: Shown, { roots }: TrustBundle): Promise<void> {
    const files = { 'leaf.pem': chainPem, 'key.pem': keyPem, 'roots.pem': roots.join('\n') };
    for (const [name, pem] of Object.entries(files)) await writeFile(join(folder, name), pem, { mode: 0o600 });
  }

  await renew(shown, trust);

  return {
    renew,
    async call({ port, service, path, request, withoutCertificate = false }) {
      const args = [join(PROGRAMS, 'client.py'), folder, `127.0.0.1:${port}`, service, path, Buffer.from(request).toString('hex')];
      const { stdout } = await promisify(execFile)(python, [...args, ...(withoutCertificate ? ['none'] : [])], { timeout: 20_000 });
      // As client.py prints it.
      return JSON.parse(stdout) as PythonOutcome;
    },
    async serveUser(allowed) {
      const server = startProcess({ name: 'server.py', command: python, args: [join(PROGRAMS, 'server.py'), folder, allowed], folder });
      toStop.unshift(server.stop);
      await untilReady('server.py', server, async () => /^\d+ \d+\n/m.test(server.output()), 20_000);
      const [port = 0, healthPort = 0] = (/^(\d+ \d+)\n/m.exec(server.output())?.[1] ?? '').split(' ').map(Number);
      return { port, healthPort };
    },
    async stop() {
      for (const stop of toStop) await stop();
    },
  };
}
