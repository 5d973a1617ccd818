import { posix } from 'node:path';
import { fileGraph } from '../imports/check-imports.ts';
import { reachable } from '../imports/cycles.ts';
import type { SourceTree } from '../imports/read-tree.ts';
import { processStarters } from './tiers.ts';

/** Starts the embedded Postgres, of which all test files of a process share one. */
const sharedPostgres = ['database/embedded/', 'test/backends/guard.ts'] as const;

/** Seconds of CPU that the longest files take; what is not listed takes less. Started first, none of them is left alone at the end. */
export const LONGEST_SECONDS: Readonly<Record<string, number>> = {
  'test/new-service/new-service.test.ts': 34,
  'test/bench/orders.test.ts': 33,
  'test/cli/scale.test.ts': 29,
  'test/events/kafka.test.ts': 27,
  'test/chaos/orders.test.ts': 22,
  'test/cli/starting.test.ts': 20,
  'test/cli/running-shop.test.ts': 19.5,
  'test/bench/rpc.test.ts': 17,
  'test/conformance/conformance.test.ts': 16.5,
  // It takes 28 s, but beside the two above it would show what no shop of seven processes can do on two busy cores.
  'test/cli/up.test.ts': 16.2,
  'test/shop/failures.test.ts': 16,
  'test/chaos/mesh.test.ts': 15,
  'test/shop/history.test.ts': 14.5,
  'test/deploy/image.test.ts': 14.4,
  'test/cli/doctor.test.ts': 14.2,
  'test/shop/micro.test.ts': 14,
  'test/books/real-shop.test.ts': 11,
  'test/shop/outage.test.ts': 10.5,
  'test/shop/two-instances.test.ts': 10,
  'test/shop/repeats.test.ts': 9.5,
  'test/checks/test-run.test.ts': 6.5,
  'test/events/bus-conformance-postgres.test.ts': 4,
};

/** Test files that share a process. */
export type FileGroup = {
  readonly files: readonly string[];
  /** They start nothing but the Postgres they share: two thirds of their time they wait for it, and for timers. */
  readonly mostlyWaits: boolean;
};

/**
 * The files of a tier as they share processes, the longest first. A file has a process of its own, so that what it leaves
 * behind has a name. Those of one folder that start nothing but the shared Postgres have one together: starting it, and
 * loading the libraries, costs a second of CPU each time.
 */
export function groupFiles(files: readonly string[], tree: SourceTree): FileGroup[] {
  const graph = fileGraph(tree);
  const starters = processStarters(tree);
  const startsPostgresOnly = (file: string): boolean => {
    const started = [...reachable(graph, file)].filter((reached) => starters.has(reached));
    return started.length > 0 && started.every((reached) => sharedPostgres.some((allowed) => reached.startsWith(allowed)));
  };
  const [waiting, busy] = [files.filter(startsPostgresOnly), files.filter((file) => !startsPostgresOnly(file))];
  const groups = [
    ...[...Map.groupBy(waiting, (file) => posix.dirname(file)).values()].map((together) => ({ files: together, mostlyWaits: true })),
    ...busy.map((file) => ({ files: [file], mostlyWaits: false })),
  ];
  return groups.toSorted((one, other) => secondsOf(other.files) - secondsOf(one.files));
}

/** What is not known counts as two seconds. */
function secondsOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + (LONGEST_SECONDS[file] ?? 2), 0);
}
