import { fileGraph } from '../imports/check-imports.ts';
import { reachable } from '../imports/cycles.ts';
import type { SourceTree } from '../imports/read-tree.ts';
import { processStarters } from './tiers.ts';

/** Starts the embedded Postgres, of which all test files of a process share one. */
const sharedPostgres = ['database/embedded/', 'test/backends/guard.ts'] as const;

/** Seconds of CPU that the longest files take; what is not listed takes less than five. Started first, none of them is left alone at the end. */
export const LONGEST_SECONDS: Readonly<Record<string, number>> = {
  'test/cli/running-shop.test.ts': 38,
  'test/bench/orders.test.ts': 30,
  'test/new-service/new-service.test.ts': 24,
  'test/shop/micro.test.ts': 23.5,
  'test/cli/starting.test.ts': 23,
  'test/chaos/orders.test.ts': 22,
  'test/events/kafka.test.ts': 17,
  'test/shop/monolith.test.ts': 16,
  // These two take 28 s, but beside the first ones they would show what no shop of seven processes can do on two busy cores.
  'test/shop/failures.test.ts': 15.9,
  'test/cli/up.test.ts': 15.8,
  'test/cli/real-servers.test.ts': 15,
  'test/deploy/image.test.ts': 14.4,
  'test/shop/monolith-fidelity.test.ts': 13,
  'test/bench/rpc.test.ts': 12.5,
  'test/chaos/mesh.test.ts': 12.4,
  'test/books/real-shop.test.ts': 12,
  'test/attacks/shop-consul.test.ts': 11.9,
  // It waits a minute for the agent's new leaves: begun last it would be left alone.
  'test/mesh/identity/rotation-consul.test.ts': 11.8,
  'test/attacks/shop.test.ts': 11.5,
  'test/deploy/addresses.test.ts': 11,
  'test/deploy/shop-on-consul.test.ts': 10.9,
  'test/backends/servers.test.ts': 8.5,
  'test/cli/events-kafka.test.ts': 8,
  'test/checks/contracts.test.ts': 7,
  'test/bench/identity.test.ts': 6.9,
  'test/conformance/conformance.test.ts': 6,
  'test/cli/full-disk.test.ts': 5.5,
  'test/cli/monolith.test.ts': 5.4,
  'test/cli/scale.test.ts': 5.3,
  'test/checks/test-run.test.ts': 5.2,
};

/** For more it no longer pays to save the second of CPU in which a process loads the libraries, and starts its Postgres. */
const MOST_FILES = 20;

/** Test files that share a process. */
export type FileGroup = {
  readonly files: readonly string[];
  /** They start nothing but the Postgres they share: two thirds of their time they wait for it, and for timers. */
  readonly mostlyWaits: boolean;
};

/**
 * The files of a tier as they share processes, the longest first. A long one has a process of its own; short ones, neighbours
 * by their names, have one together, those that start nothing but the shared Postgres apart from the others.
 */
export function groupFiles(files: readonly string[], tree: SourceTree): FileGroup[] {
  const graph = fileGraph(tree);
  const starters = processStarters(tree);
  const mostlyWaits = (file: string): boolean => {
    const started = [...reachable(graph, file)].filter((reached) => starters.has(reached));
    return started.length > 0 && started.every((reached) => sharedPostgres.some((allowed) => reached.startsWith(allowed)));
  };
  const long = files.filter((file) => file in LONGEST_SECONDS);
  const { waiting = [], busy = [] } = Object.groupBy(files.filter((file) => !long.includes(file)), (file) => (mostlyWaits(file) ? 'waiting' : 'busy'));
  const groups = [
    ...long.map((file) => ({ files: [file], mostlyWaits: mostlyWaits(file) })),
    ...inParts(waiting).map((part) => ({ files: part, mostlyWaits: true })),
    ...inParts(busy).map((part) => ({ files: part, mostlyWaits: false })),
  ];
  return groups.toSorted((one, other) => secondsOf(other.files) - secondsOf(one.files));
}

/** As few parts as need be, all as large as each other. */
function inParts(files: readonly string[]): string[][] {
  const size = Math.ceil(files.length / Math.ceil(files.length / MOST_FILES));
  return [...Map.groupBy(files, (file) => Math.floor(files.indexOf(file) / size)).values()];
}

/** What is not known counts as two seconds. */
function secondsOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + (LONGEST_SECONDS[file] ?? 2), 0);
}
