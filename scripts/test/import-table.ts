/** What the files of one unit (a top-level folder, or one service) may import. */
export type TableRow = {
  /** A folder or file; `*` stands for one name. The first row that matches counts. */
  readonly unit: string;
  readonly mayImport: readonly string[];
  /** Folders of `proto/gen` it may import; absent: all, if it may import `proto`. */
  readonly protos?: readonly string[];
  /** npm packages it may import; absent: any. */
  readonly packages?: readonly string[];
};

const layersBelowServices = ['kit', 'proto', 'tracing', 'discovery', 'database', 'mesh', 'events', 'saga'] as const;
const serviceModule = 'services/service-module.ts';
const everyService = ['services/gateway', 'services/*'] as const;
const notForTheEdge: ReadonlySet<string> = new Set(['database', 'saga', 'events']);

/** The layers, lowest first. docs/architecture.md says why; a row here is a promise there. */
export const importTable: readonly TableRow[] = [
  { unit: 'kit', mayImport: [] },
  { unit: 'proto', mayImport: [], packages: ['@bufbuild/protobuf'] },
  { unit: 'tracing', mayImport: ['kit'] },
  { unit: 'discovery', mayImport: ['kit', 'tracing', 'proto'], protos: ['hashicorp'] },
  { unit: 'database', mayImport: ['kit', 'tracing'] },
  {
    unit: 'mesh',
    mayImport: ['kit', 'tracing', 'discovery', 'proto'],
    // The mesh knows options, health, reflection and rich errors, never a shop's contract.
    protos: ['mesh', 'grpc', 'google', 'buf'],
  },
  { unit: 'events', mayImport: ['kit', 'database', 'tracing'] },
  { unit: 'saga', mayImport: ['kit', 'database', 'events', 'tracing'] },
  {
    unit: 'services/gateway',
    mayImport: [...layersBelowServices.filter((layer) => !notForTheEdge.has(layer)), serviceModule],
  },
  // What a service module is: the type that each service.ts fills in.
  { unit: serviceModule, mayImport: layersBelowServices },
  { unit: 'services/modules.ts', mayImport: [...everyService, serviceModule] },
  { unit: 'services/*', mayImport: [...layersBelowServices, serviceModule] },
  { unit: 'cli', mayImport: [...layersBelowServices, ...everyService, serviceModule, 'services/modules.ts'] },
  { unit: 'mesh.config.ts', mayImport: ['cli'] },
];

/**
 * Folders of the work around the program. They may import anything of the program;
 * of one another they import only what is listed.
 */
export const tools: Readonly<Record<string, readonly string[]>> = {
  test: ['bench', 'deploy', 'docs', 'scripts'],
  bench: ['deploy', 'scripts'],
  deploy: ['scripts'],
  docs: ['scripts'],
  scripts: ['deploy'],
};

/**
 * Second entries of a folder, besides its index.ts: the stand-ins, and the adapter of a
 * broker that most shops have not. Only the composition root loads them, so that no
 * production path can come to lean on one.
 */
export const secondEntries: readonly string[] = [
  'events/kafka/index.ts',
  'discovery/agent/index.ts',
  'tracing/collector/index.ts',
  'database/embedded/index.ts',
  'services/payment/simulator/index.ts',
];

/** The only unit that may load second entries and import by a computed name (the user's configuration). */
export const compositionRoot = 'cli';

/** A module of such a name gathers what belongs elsewhere. */
export const vagueNames: ReadonlySet<string> = new Set(['util', 'utils', 'helper', 'helpers', 'misc']);
