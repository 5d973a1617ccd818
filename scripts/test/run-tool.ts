import { delimiter, join } from 'node:path';
import { runProgram } from '../backends/run-program.ts';

/** Runs one of the project's development tools in a folder; what it printed is the answer when it fails. */
export async function runTool(root: string, command: readonly string[], signal: AbortSignal): Promise<ToolResult> {
  const [name = '', ...args] = command;
  const bin = join(root, 'node_modules', '.bin');
  const path = [bin, process.env['PATH']].filter((part) => part !== undefined).join(delimiter);
  const result = await runProgram({
    command: join(bin, name),
    args,
    cwd: root,
    // Tools start `node` and buf its local plugins by the PATH; colours would end up in the report.
    env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined },
    signal,
  });
  if (result.state === 'stopped') return { ok: false, output: 'stopped' };
  if (result.state === 'not-started') return { ok: false, output: `${name} does not start: ${result.reason}` };
  const output = result.lastLines.join('\n').trim();
  return result.code === 0 ? { ok: true, output } : { ok: false, output: output || `${name}: exit code ${result.code}` };
}

export type ToolResult = { readonly ok: boolean; readonly output: string };

/** As `runTool`, for steps that others build on: a failure is thrown. */
export async function mustRunTool(root: string, command: readonly string[], signal: AbortSignal): Promise<void> {
  const { ok, output } = await runTool(root, command, signal);
  if (!ok) throw new Error(`${command.join(' ')}\n${output}`);
}
