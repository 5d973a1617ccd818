import { readFileSync, writeFileSync } from 'node:fs';

const KIB_PER_MIB = 1_024;

/** Main memory that a process holds now, in MiB. */
export function residentMib(pid: number): number {
  return statusMib(pid, 'VmRSS');
}

/** The most that it has held since it started, or since {@link forgetPeak}. */
export function peakMib(pid: number): number {
  return statusMib(pid, 'VmHWM');
}

/** From now on the peak is counted anew (proc_pid_clear_refs(5)). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusMib(pid: number, field: string): number {
  const [, kib] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / KIB_PER_MIB;
}
