import { expect } from 'chai';

import type { Diagnosis } from '../../../cli/doctor/run-checks.ts';
import { meshHere } from './in-process.ts';
import type { Environment } from './shop-folder.ts';

/** Every check of `mesh doctor`, in the order in which they are shown. */
export const CHECKS = ['ports', 'versions', 'registrations', 'processes', 'clock', 'schema', 'roles', 'sagas', 'events', 'mails', 'settings'];

/** What `mesh doctor` finds that is not well, as `level check: words; advice`. Each check says something, and the exit code is 1 when something fails. */
export async function diagnose(environment: Environment): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await meshHere(['doctor', '--json'], environment);
  expect(stderr).to.equal('');
  // What the command writes with --json.
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Diagnosis[] };
  const fails = findings.some(({ level }) => level === 'fail');
  expect({ exitCode, ok }).to.deep.equal({ exitCode: fails ? 1 : 0, ok: !fails });
  expect([...new Set(findings.map(({ check }) => check))]).to.deep.equal(CHECKS);
  return findings.flatMap((finding) => ('advice' in finding ? [`${finding.level} ${finding.check}: ${finding.says}${finding.advice && `; ${finding.advice}`}`] : []));
}
