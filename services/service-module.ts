import type { DescService } from '@bufbuild/protobuf';
import type { Tracer } from '@opentelemetry/api';

import type { Database, MigrationComponent } from '#database';
import type { EventBus, EventHooks } from '#events';
import type { Clock, Log, Random, SettingSpecs, SettingValues } from '#kit';
import type { Client, Handlers, Implementation } from '#mesh';
import type { SagaHooks } from '#saga';

/** What a service is given. It reaches nothing else: no globals, no siblings' code. */
export interface ServiceDependencies<D extends Contracts, P extends SettingSpecs> {
  /** Stubs of the services it declared, under the names it gave them. */
  readonly clients: { readonly [K in keyof D]: Client<D[K]> };
  /** Its own schema. */
  readonly database: Database;
  /** What it consumes events from. What it publishes goes through the outbox of its schema. */
  readonly bus: EventBus;
  readonly settings: SettingValues<P>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Kill points of tests; empty in a shop. */
  readonly sagaHooks: SagaHooks;
  readonly eventHooks: EventHooks;
}

type Contracts = Readonly<Record<string, DescService>>;

export interface BuiltService<S extends DescService> {
  readonly handlers: Handlers<S>;
  /** A second contract, such as one for operators: `implement(SagaService, sagaHandlers)`. On the same port, and as healthy as the main one. */
  readonly operations?: Implementation;
  /** Starts background work, once the service can be called. */
  start?(): void;
  /** Ends background work and awaits it. The database closes after that. */
  stop?(): Promise<void>;
}

/** A service: everything the composition root must know to run it. */
export interface ServiceModule<S extends DescService = DescService, D extends Contracts = Contracts, P extends SettingSpecs = SettingSpecs> {
  /** Registry name, schema name and folder name. */
  readonly name: string;
  readonly contract: S;
  /** The contract of `operations`, where it builds any. */
  readonly operations?: DescService;
  /** Contracts of the services it calls, under the names it wants their stubs by. */
  readonly dependencies: D;
  readonly settings: P;
  readonly migrations: readonly MigrationComponent[];
  build(given: ServiceDependencies<D, P>): BuiltService<S>;
}

/** Declares a service. The types tie dependencies, settings and handlers together; the list of modules forgets them. */
export function defineService<S extends DescService, D extends Contracts, P extends SettingSpecs>(module: ServiceModule<S, D, P>): ServiceModule {
  const build: typeof module.build = (given) => {
    const built = module.build(given);
    // What is declared is what commands go by, without building anything.
    if (built.operations?.contract !== module.operations) throw new Error(`${module.name} does not build the operations that it declares`);
    return built;
  };
  // Whoever composes builds `clients` and `settings` from this module's own declarations, so they fit.
  return { ...module, build } as unknown as ServiceModule;
}

/** Every contract that a service answers on its port. No two have a method of one name: people write `user.SignIn`. */
export function contractsOf({ contract, operations }: ServiceModule): readonly DescService[] {
  return operations ? [contract, operations] : [contract];
}
