import { execFile } from 'node:child_process';

export type NodeRun = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a script on this Node to its end. */
export function runNode(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<NodeRun> {
  return new Promise((settle) => {
    const child = execFile(process.execPath, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      settle({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
    });
    child.stdin?.end();
  });
}
