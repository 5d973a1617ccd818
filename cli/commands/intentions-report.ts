import { askGuards } from '../intentions/ask-guards.ts';
import { renderReport, reportForPrograms } from '../intentions/render-report.ts';
import type { Output } from '../output.ts';
import { withControlPlane } from './with-control-plane.ts';

/** `mesh intentions report`: who calls without a certificate, and whom intentions refused. */
export async function intentionsReportCommand(destination: string | undefined, output: Output, warn: (line: string) => void): Promise<void> {
  const guarded = await withControlPlane((controlPlane) => askGuards(controlPlane, destination, warn));
  output.answer(() => renderReport(guarded), reportForPrograms(guarded));
}
