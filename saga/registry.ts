import { pivotOf, type SagaDefinition, versionOf } from './definition.ts';

/** Which definition, of which version. */
export interface DefinitionKey {
  readonly definition: string;
  readonly version: number;
}

/** The definitions a process runs, in each version that still has sagas. */
export interface DefinitionRegistry {
  readonly keys: readonly DefinitionKey[];
  find(key: DefinitionKey): SagaDefinition<object> | undefined;
}

/** Throws when a version is there twice, or a definition lacks its pivot. */
export function createDefinitionRegistry(definitions: readonly SagaDefinition<object>[]): DefinitionRegistry {
  const byKey = new Map<string, SagaDefinition<object>>();
  for (const definition of definitions) {
    const key = keyOf({ definition: definition.name, version: versionOf(definition) });
    if (byKey.has(key)) throw new Error(`saga ${key} is defined twice`);
    pivotOf(definition);
    byKey.set(key, definition);
  }
  return {
    keys: definitions.map((definition) => ({ definition: definition.name, version: versionOf(definition) })),
    find: (key) => byKey.get(keyOf(key)),
  };
}

function keyOf({ definition, version }: DefinitionKey): string {
  return `${definition} version ${version}`;
}
