// The real servers and tools that the real test tier uses. The version here and
// the one in deploy/backends/<name>/go.mod must agree; a test compares them. How
// to move a version: deploy/backends/README.md.

export const backendNames = ['consul', 'jaeger', 'grpcurl', 'stripe-mock', 'docker-compose'] as const;

export type BackendName = (typeof backendNames)[number];

export type Backend = {
  readonly name: BackendName;
  readonly version: string;
  /** What it is for, in a few words. */
  readonly about: string;
  /** Go import path of the main package, built inside the wrapper module `deploy/backends/<name>`. */
  readonly goPackage: string;
  /** The variable in which the program keeps its version; the linker sets it. Consul carries its own. */
  readonly versionVariable?: string;
  /** Arguments that make the program print its version and exit. */
  readonly versionArgs: readonly string[];
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
    name: 'docker-compose',
    version: '2.40.3',
    about: 'checks docker-compose.yml (`config` needs no engine)',
    goPackage: 'github.com/docker/compose/v2/cmd',
    versionVariable: 'github.com/docker/compose/v2/internal.Version',
    versionArgs: ['version'],
  },
];

export function isBackendName(text: string): text is BackendName {
  return backendNames.some((name) => name === text);
}

export function findBackend(name: BackendName): Backend {
  const found = backends.find((backend) => backend.name === name);
  if (found === undefined) throw new Error(`The catalogue has no backend "${name}".`);
  return found;
}
